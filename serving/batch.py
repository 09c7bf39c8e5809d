"""A file of patients becomes a file of scores, by the same path as the service; a bad row is refused and the file goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from models.artifact import Artifact
from models.cohort_file import InvalidCohort
from models.fault import Fault
from serving.patient_files import Asked, PatientFile, patient_file
from serving.refused import Refused
from serving.score_files import Recording, score_writer

BLOCK = 512  # patients scored together: their arrays stay in the processor's cache


@dataclass(frozen=True)
class Scored:
    """How many patients of a file were scored, who was refused and why, and where the scores are."""

    scored: int
    refused: tuple[Refused, ...]
    out: Path
    warnings: tuple[str, ...] = ()  # of the file as a whole: they refuse nobody


def score_file(
    artifact: Artifact,
    patients: Path,
    out: Path,
    *,
    data: Path | None = None,
    site: str = "",
    progress: bool = True,
    recording: Recording | None = None,
    today: date | None = None,
    landmark: float | None = None,
) -> Scored:
    """Score the patients in `patients` into `out` (.csv, .ndjson or .parquet), which appears when it is whole, or not at all.

    With `recording` every score has a durable receipt before the file appears; an index date after `today` is refused.
    `landmark`: days after the index date on which the patients of a cohort file are looked at. Raises InvalidCohort where the
    file as a whole cannot be read, or not for this model; OSError where it cannot be written; NoReceipt where a score cannot be
    recorded.
    """
    _require_its_day(artifact, patients, landmark)
    source = patient_file(patients, data, today, landmark)
    often = Counter(source.ids())
    if not often:
        raise InvalidCohort([Fault(patients.name, "nobody", "at least one patient", "an empty file, or a header alone")])
    repeated = {id: times for id, times in often.items() if id and times > 1}
    refused: list[Refused] = []
    with score_writer(artifact, out, site, recording and recording(source.form)) as write:
        # the bar goes to stderr, and the count of the first reading is its length
        bar = tqdm(_once(source, repeated), total=often.total(), unit="patients", disable=not progress, desc="score")
        for block in _blocks(bar):
            refused += write(block)
    return Scored(often.total() - len(refused), tuple(refused), out, source.strangers(often))


def _require_its_day(artifact: Artifact, patients: Path, landmark: float | None) -> None:
    """InvalidCohort where a cohort file is to be scored on a day that the model is not for."""
    of_landmarks = bool(artifact.model.population.landmarks)
    if landmark is not None and not of_landmarks:
        allowed = "nothing: this model scores patients on the index date"
        raise InvalidCohort([Fault("landmark", f"day {landmark:g}", allowed, "another model: one of a study with [landmarks]")])
    if landmark is None and of_landmarks and patients.suffix.lower() == ".toml":
        allowed = "--landmark DAY: this model scores patients so many days after the index date"
        raise InvalidCohort([Fault("landmark", "nothing", allowed)])


def _once(source: PatientFile, repeated: dict[str, int]) -> Iterator[Asked]:
    """The patients; those who stand in the file more than once are refused, since nobody knows which row is true."""
    for one, given in source.patients():
        if one.id in repeated:
            yield Refused(one.id, "invalid", (Fault("id", f"{repeated[one.id]} rows", "one row a patient"),)), given
        else:
            yield one, given


def _blocks(patients: Iterable[Asked]) -> Iterator[list[Asked]]:
    waiting = iter(patients)
    while block := list(islice(waiting, BLOCK)):
        yield block
