"""Receipts of made-up patients, written by the real writer on days of a test's choice; tables made by hand."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.artifact import Artifact
from models.patient import Patient
from serving.receipts import group
from serving.receipts.archive import Archive
from serving.receipts.keys import ReceiptKeys
from serving.receipts.writer import open_writer
from serving.recorded import Answering
from serving.wire import read_patient

Person = Mapping[str, Any]
CALLER = {"by": "HTTP", "from": "loopback", "request": None, "who": {"name": "a", "roles": [], "unit": "ward 1", "by": "test"}}


def people(count: int, seed: int, sicker: float = 0.0) -> list[Person]:
    """So many made-up patients; `sicker` takes away from their albumin (g/L) and shares out lymphocytes."""
    rng = np.random.default_rng(seed)
    return [_person(f"q-{seed}-{place}", rng, sicker) for place in range(count)]


def _person(id: str, rng: np.random.Generator, sicker: float) -> Person:
    labs = {
        "alc": (round(float(np.exp(rng.normal(0.1 - sicker / 10, 0.5))), 2), "10*9/L"),
        "anc": (round(float(np.exp(rng.normal(1.6, 0.3))), 2), "10*9/L"),
        "albumin": (round(float(rng.normal(38 - sicker, 4)), 1), "g/L"),
    }
    if rng.random() < 0.7:
        labs["ecog"] = (int(rng.integers(0, 4)), "{score}")
    tumour = str(rng.choice(["pancreatic", "nsclc", "colorectal"], p=[0.5, 0.3, 0.2]))
    rows = [{"analyte": name, "value": value, "unit": unit, "date": "2026-03-01"} for name, (value, unit) in labs.items()]
    return {
        "id": id,
        "as_of": "2026-03-02",
        "age_years": int(rng.integers(40, 85)),
        "sex": str(rng.choice(["male", "female"])),
        "tumour": tumour,
        "measurements": rows,
        "history": {"prior_lines": int(rng.integers(1, 5)), "prior_systemic_therapy": "yes"},
    }


Scored = tuple[str, Sequence[Person], Artifact]  # on which day, who, by which model
Write = Callable[..., Archive]


@pytest.fixture(scope="session")
def crowd() -> Callable[..., list[Person]]:
    """Makes people up."""
    return people


@pytest.fixture(scope="session")
def made_archive(keys: ReceiptKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Write]:
    """Writes receipts of several days into a folder of their own; `erased`: pseudonyms whose receipts are erased afterwards."""

    def write(*scored: Scored, erased: Sequence[str] = ()) -> Archive:
        folder: Path = tmp_path_factory.mktemp("receipts") / "r"
        with pytest.MonkeyPatch.context() as patch, open_writer(folder, keys) as writer:
            for day, several, artifact in scored:
                patch.setattr(group.datetime, "datetime", _clock(day))
                answering = Answering(artifact, "Trial")
                asked = [(_read(person), _given(person)) for person in several]
                answered = answering.answered(asked, CALLER, lambda place, refused: pytest.fail(str(refused)))
                writer.record(list(answered.drafts.values()), 60)
            for id in erased:
                writer.erase(by="B. Okoro", reason="asked", subject=keys.subject(id))
        return Archive.open(folder, keys)

    return write


def _read(person: Person) -> Patient:
    found = read_patient(person)
    assert isinstance(found, Patient), found
    return found


def _given(person: Person) -> Callable[[], bytes]:
    return lambda: json.dumps(person).encode()


def _clock(day: str) -> type[datetime.datetime]:
    class Then(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")

    return Then


@pytest.fixture(scope="session")
def two_months(made_archive: Write, loaded: Artifact) -> Archive:
    """Sixty patients in September; sixty sicker ones, ten of those again, and one erased, in October 2026."""
    september, october = people(60, 1), people(60, 2, sicker=9.0)
    return made_archive(
        ("2026-09-10", september, loaded),
        ("2026-10-05", october, loaded),
        ("2026-10-20", [*september[:10], people(1, 3)[0]], loaded),
        erased=["q-3-0"],
    )
