"""Write the dictionary with which receipts are packed: `uv run python tests/exams/dictionary.py FILE`.

It is the content of one receipt, that of the simulated patient by which those of the others become smallest. A dictionary that
was ever used is never changed: a new one gets the next number (`serving.receipts.payload`).
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

from simulated_requests import simulated_requests

from models.artifact import load
from models.patient import Patient
from serving.answer import Answer
from serving.receipts.payload import code_version, draft_of, dumped, unpacked
from serving.score import score
from serving.wire import read_patient

EXAMPLE = Path(__file__).parents[2] / "models" / "released" / "example"
_REACH = 32_768 - 262  # bytes back that zlib looks


def contents(patients: int, seed: int) -> list[bytes]:
    """What receipts of simulated patients hold."""
    artifact, found = load(EXAMPLE), []
    for given in simulated_requests(patients, seed):
        patient = read_patient(given)
        (answer,) = score(artifact, [patient])
        if isinstance(patient, Patient) and isinstance(answer, Answer):
            caller = {"by": "HTTP", "from": "loopback", "request": None}
            draft = draft_of(dumped(given), patient, dumped(answer.as_json()), caller, artifact, "", code_version())
            found.append(unpacked(draft.content))
    return found


def best(among: list[bytes]) -> bytes:
    """The one by which the others become smallest."""
    return min((one[-_REACH:] for one in among), key=lambda one: sum(_size(other, one) for other in among))


def _size(content: bytes, dictionary: bytes) -> int:
    packing = zlib.compressobj(3, zdict=dictionary)
    return len(packing.compress(content) + packing.flush())


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(best(contents(80, 11)))
