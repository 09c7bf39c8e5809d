"""Write the dictionary with which receipts are packed: `uv run python tests/exams/dictionary.py FILE`.

It is the content of one receipt, that of the simulated patient by which those of the others become smallest. A dictionary that
was ever used is never changed: a new one gets the next number (`serving.receipts.payload`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import zstandard
from simulated_requests import simulated_requests

from models.artifact import load
from models.patient import Patient
from serving.answer import Answer
from serving.receipts.packing import unpacked
from serving.receipts.payload import code_version, draft_of
from serving.receipts.written import dumped, written
from serving.score import score
from serving.wire import read_patient

EXAMPLE = Path(__file__).parents[2] / "models" / "released" / "example"


def contents(patients: int, seed: int) -> list[bytes]:
    """What receipts of simulated patients hold."""
    artifact, found = load(EXAMPLE), []
    for given in simulated_requests(patients, seed):
        patient = read_patient(given)
        (answer,) = score(artifact, [patient])
        if isinstance(patient, Patient) and isinstance(answer, Answer):
            caller = {"by": "HTTP", "from": "loopback", "request": None}
            draft = draft_of(dumped(given), patient, written(answer), caller, artifact, "", code_version())
            found.append(unpacked(draft.content))
    return found


def best(among: list[bytes]) -> bytes:
    """The one by which the others become smallest."""
    return min(among, key=lambda one: sum(_sizes(among, one)))


def _sizes(contents: Iterable[bytes], dictionary: bytes) -> list[int]:
    """In bytes, of each of the contents packed with it."""
    prepared = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    packing = zstandard.ZstdCompressor(level=1, dict_data=prepared)
    return [len(packing.compress(one)) for one in contents]


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(best(contents(80, 11)))
