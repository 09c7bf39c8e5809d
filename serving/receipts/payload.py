"""What a receipt holds before it is encrypted: what came in, how it was understood, what was answered, by which model and code.

It is made while somebody waits for the answer, so the answer is written down once, and the same bytes go into the receipt and to
the caller (`written`); and it is packed (`packing`).
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

import models
import serving
from models.artifact import Artifact
from models.patient import Patient
from models.patient_document import patient_document
from serving.receipts.packing import packed, unpacked
from serving.receipts.record import SCORE, BrokenReceipt, Draft, Signed
from serving.receipts.written import dumped as dumped

FORMAT = 1
Form = Literal["request", "row"]  # how a patient came: as the service's own JSON, or as a row of somebody's tables
REQUEST: Form = "request"
ROW: Form = "row"
_ARITHMETIC = "^(exp|log|log10)$"  # the functions of which processors have implementations of their own


class Receipts(Protocol):
    """Where receipts are kept; the service needs no more of it."""

    @property
    def public_key(self) -> str:
        """64 hex digits, with which anybody can check what `record` gives."""
        ...

    def submit(self, drafts: Sequence[Draft]) -> Future[list[Signed]]:
        """Will be a durable receipt for each draft, in order, all of one group; or NoReceipt. Cancelled, it is withdrawn."""
        ...

    def record(self, drafts: Sequence[Draft]) -> list[Signed]:
        """The same, waited for; NoReceipt where there can be none now."""
        ...

    def ready(self) -> str:
        """Why no receipt can be written now; nothing where one can."""
        ...


def plain(document: object) -> Any:
    """The same as whoever reads the JSON gets it: tuples are lists, keys are texts."""
    return json.loads(dumped(document))


def draft_of(
    given: bytes,
    patient: Patient,
    answer: bytes,
    caller: Mapping[str, object],
    artifact: Artifact,
    site: str,
    code: Mapping[str, object],
    form: Form = REQUEST,
) -> Draft:
    """The receipt of one answer, to be recorded.

    `given` is the JSON that came (of one patient, strictly read before), `answer` what `dumped` makes of `Answer.as_json()`.
    """
    rest = {
        "caller": caller,
        "code": code,
        "model": {"name": artifact.model.name, "digest": artifact.digest},
        "site": site,
    }
    parts = (
        b'{"format":%d,"form":"%s","given":' % (FORMAT, form.encode()),
        given.strip(),
        b',"patient":',
        dumped(patient_document(patient)),
        b',"answer":',
        answer,
        b"," + dumped(rest)[1:],
    )
    return Draft(SCORE, patient.id, packed(b"".join(parts)))


def with_receipt(answer: bytes, signed: Signed, public_key: str) -> bytes:
    """The answer with its receipt as the last key, as the caller gets it."""
    return answer[:-1] + b',"receipt":' + dumped(signed.as_json() | {"public_key": public_key}) + b"}"


def unpack(content: bytes) -> dict[str, Any]:
    """The document of a score's receipt: format, form, given, patient, answer, caller, code, model, site.

    Raises BrokenReceipt where this version cannot read it.
    """
    try:
        document = json.loads(unpacked(content))
    except (ValueError, RecursionError) as error:
        if isinstance(error, BrokenReceipt):
            raise
        raise BrokenReceipt("the content of the receipt is no JSON") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BrokenReceipt(f"the content of the receipt has another format than {FORMAT}, which this version reads")
    return document


@cache
def code_version() -> dict[str, str]:
    """Which program scores: its version, the digest of its sources, Python, numpy, and what of the machine numbers depend on.

    Processors have exponentials and logarithms of their own, which may differ in the last bit: those at work are named.
    """
    return {
        "version": version("lymphorisk"),
        "digest": _digest_of_sources(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()} {_arithmetic()}",
    }


def _arithmetic() -> str:
    found = np.lib.introspect.opt_func_info(func_name=_ARITHMETIC, signature="float64")
    return " ".join(sorted({f"{name}:{kind['current']}" for name, kinds in found.items() for kind in kinds.values()}))


def _digest_of_sources() -> str:
    """SHA-256 over the names and contents of the sources of both rooms a score passes through."""
    whole = hashlib.sha256()
    for room in (models, serving):
        folder = Path(str(room.__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            whole.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()
