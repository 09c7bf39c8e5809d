"""Scores as a table: one row a patient, every number with all its digits; as whole answers where the file is NDJSON."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from models.artifact import Artifact
from models.design import FloatArray
from models.patient import Patient
from models.quality import InputQuality, Quality, quality_of
from models.risk import RiskModel, sigmoid
from serving.parquet import csv_to_parquet
from serving.patient_files import LINES, Asked
from serving.refused import Refused
from serving.score import Company, admit, score, together
from serving.standing import example, opening, standing

if TYPE_CHECKING:
    from serving.receipts.payload import Form

REPORTED = (30, 60, 90, 180, 365)  # days: columns of every table, empty where the model refuses the horizon
_TEXTS = ("id", "standing", "quality", "warnings")
RECEIPT = "receipt"
Block = Sequence[Patient | Refused]
Write = Callable[[Sequence[Asked]], list[Refused]]  # writes one block, and returns whom it refused


class Recorded(NamedTuple):
    """A block of patients whose scores have durable receipts."""

    said: list[bytes]  # JSON, every score with its receipt
    sequences: list[int | None]  # of the receipts; None for who was refused
    refused: list[Refused]


class Recorder(Protocol):
    """Records a block of patients before it is written (`serving.recorded`)."""

    def recorded(self, block: Sequence[Asked]) -> Recorded:
        """What may be shown; NoReceipt where nothing may."""
        ...


Recording = Callable[["Form"], Recorder]  # by the form in which the patients come


@contextmanager
def score_writer(artifact: Artifact, out: Path, site: str, recorder: Recorder | None = None) -> Iterator[Write]:
    """Opens `out` for scores; what is written stands under another name until it is whole.

    With `recorder` every score is recorded before it is written, and a table names the number of the receipt.
    """
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    kind = _lines if out.suffix.lower() in LINES else _parquet if out.suffix.lower() == ".parquet" else _csv
    try:
        with kind(artifact, part, site, recorder) as write:
            yield write
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def columns(model: RiskModel) -> list[str]:
    """The column names of a table of scores."""
    numbers = [f"{name}_{days}d{rest}" for days in _days(model) for name, rest in _numbers(model)]
    return ["id", "standing", *numbers, "quality", "warnings"]


def table_rows(artifact: Artifact, patients: Block, site: str = "") -> tuple[list[list[object]], list[Refused]]:
    """A row for each patient in order (None where there is no number), and those who were refused."""
    model = artifact.model
    admitted = [admit(model, one) for one in patients]
    company = together(model, [one for one in admitted if isinstance(one, Patient)])
    numbers, readings = iter(_cells(model, company).tolist()), iter(company.readings)
    nothing = [None] * (len(columns(model)) - 4)
    rows: list[list[object]] = []
    for one in admitted:
        if isinstance(one, Refused):
            rows.append([one.id, "; ".join([*opening(model), f"refused: {one}"]), *nothing, None, None])
        else:
            said = "; ".join(standing(artifact, one, site))
            quality = quality_of(model, one, next(readings))
            rows.append([one.id, said, *_spread_out(model, next(numbers)), _inputs(quality), "; ".join(quality.warnings)])
    return rows, [one for one in admitted if isinstance(one, Refused)]


def _days(model: RiskModel) -> list[int]:
    return sorted({*REPORTED, *model.days})


def _numbers(model: RiskModel) -> list[tuple[str, str]]:
    """The columns of one horizon, before and after its days."""
    terms = [("term", f"_{feature}") for feature in (*model.design.features, "time_bound")]
    return [(name, "") for name in ("risk", "low", "high", "log_odds", "base")] + terms


def _cells(model: RiskModel, company: Company) -> FloatArray:
    """Shape (n, n_horizons, 5 + n_features + 1): each patient's numbers at each served horizon, in the order of `_numbers`."""
    scores = company.scores
    _, spread = model.spreads(scores.filled.x)
    low, high = (sigmoid(scores.log_odds + z * spread) for z in (-model.reach, model.reach))
    base = np.broadcast_to(scores.base, scores.risk.shape)
    simple = np.stack([scores.risk, low, high, scores.log_odds, base], axis=-1)
    return np.concatenate([simple, scores.terms, scores.time_bound[..., None]], axis=-1)


def _spread_out(model: RiskModel, numbers: list[list[float]]) -> list[float | None]:
    served = dict(zip(model.days, numbers, strict=True))
    nothing = [None] * len(_numbers(model))
    return [cell for days in _days(model) for cell in served.get(days, nothing)]


def _inputs(quality: Quality) -> str:
    """Every input that was not simply used as given, or that something confounds, in parentheses."""
    return "; ".join(map(_input, (one for one in quality.inputs if one.remarks or not one.in_order))) or "ok"


def _input(one: InputQuality) -> str:
    beside = f" ({'; '.join(one.remarks)})" if one.remarks else ""
    return f"{one.name}: {', '.join(one.states)}{beside}"


@contextmanager
def _csv(artifact: Artifact, path: Path, site: str, recorder: Recorder | None) -> Iterator[Write]:
    with path.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")  # floats are written as repr: they read back to the bit
        writer.writerow([*columns(artifact.model), *([RECEIPT] if recorder else [])])

        def write(block: Sequence[Asked]) -> list[Refused]:
            rows, refused = table_rows(artifact, [one for one, _ in block], site)
            if recorder:
                for row, number in zip(rows, recorder.recorded(block).sequences, strict=True):
                    row.append(number)
            writer.writerows(rows)
            return refused

        yield write


@contextmanager
def _lines(artifact: Artifact, path: Path, site: str, recorder: Recorder | None) -> Iterator[Write]:
    with path.open("xb") as file:

        def write(block: Sequence[Asked]) -> list[Refused]:
            if recorder:
                recorded = recorder.recorded(block)
                file.writelines(line + b"\n" for line in recorded.said)
                return recorded.refused
            answers = score(artifact, [one for one, _ in block], site)
            for one in answers:
                file.write(json.dumps(example(artifact.model) | one.as_json(), allow_nan=False).encode() + b"\n")
            return [one for one in answers if isinstance(one, Refused)]

        yield write


@contextmanager
def _parquet(artifact: Artifact, path: Path, site: str, recorder: Recorder | None) -> Iterator[Write]:
    table = path.with_suffix(".csv.part")
    try:
        with _csv(artifact, table, site, recorder) as write:
            yield write
        csv_to_parquet(table, path, _TEXTS, (RECEIPT,))
    finally:
        table.unlink(missing_ok=True)
