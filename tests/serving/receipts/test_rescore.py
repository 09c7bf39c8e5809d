"""Patients of old receipts by another model: who moves between bands, who gets no risk, each by the number of a receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.artifact import Artifact
from models.patient import Patient
from models.patient_document import patient_document
from models.risk import Calibration, RiskModel
from serving.answer import Answer
from serving.receipts import rescore
from serving.receipts.finding import BROKEN, ERASED, Receipt
from serving.receipts.payload import plain
from serving.receipts.record import Record
from serving.receipts.rescore import Moved, NoSuchHorizon, rescored
from serving.score import score
from serving.wire import read_patient

BANDS = (0.1, 0.2, 0.4)


def patient(**labs: float) -> Patient:
    units = {"alc": "10*9/L", "anc": "10*9/L", "albumin": "g/L", "ecog": "{score}"}
    rows = [{"analyte": name, "value": value, "unit": units[name], "date": "2026-02-26"} for name, value in labs.items()]
    person = {"as_of": "2026-03-02", "age_years": 61, "sex": "male", "tumour": "nsclc", "history": {"prior_lines": 1}}
    found = read_patient(person | {"measurements": rows})
    assert isinstance(found, Patient)
    return found


PATIENTS = [patient(alc=alc, anc=4.0, albumin=38.0) for alc in (0.3, 0.6, 1.0, 1.6, 2.6)]


def record(sequence: int) -> Record:
    return Record(sequence, "2026-11-23T02:47:54.123456Z", "score", "", "k", b"", 0, "", "0" * 64, "")


def risk_of(artifact: Artifact, one: Patient, day: int = 90) -> float:
    (answer,) = score(artifact, [one])
    assert isinstance(answer, Answer)
    return next(horizon.risk for horizon in answer.horizons if horizon.days == day)


def receipt(artifact: Artifact, one: Patient, sequence: int) -> Receipt:
    answer: dict[str, Any] = {"risks": {"90": {"risk": risk_of(artifact, one)}}}
    return Receipt(record(sequence), {"patient": plain(patient_document(one)), "answer": answer})


@pytest.fixture
def receipts(loaded: Artifact) -> list[Receipt]:
    return [receipt(loaded, one, at) for at, one in enumerate(PATIENTS, 1)]


@pytest.fixture
def graver(loaded: Artifact, make_model: Callable[..., RiskModel]) -> Artifact:
    """A model that says a log-odds of 1 more at every horizon."""
    known = loaded.model.calibration
    return replace(loaded, model=make_model(calibration=Calibration(known.intercept + 1.0, known.slope)), digest="f" * 64)


def test_the_same_model_moves_nobody(loaded: Artifact, receipts: list[Receipt]) -> None:
    found = rescored(receipts, loaded, 90, BANDS)
    assert (found.compared, found.mean_change, found.moved) == (5, 0.0, [])
    assert np.trace(found.table) == 5


def test_who_changes_band_is_counted_and_named_by_receipt(
    loaded: Artifact, graver: Artifact, receipts: list[Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescore, "_BLOCK", 2)
    was, now = ([risk_of(model, one) for one in PATIENTS] for model in (loaded, graver))
    bands = [sum(cut <= risk for cut in BANDS) for risk in was], [sum(cut <= risk for cut in BANDS) for risk in now]
    expected = [Moved(at, *four) for at, four in enumerate(zip(was, now, *bands, strict=True), 1) if four[2] != four[3]]
    found = rescored(receipts, graver, 90, BANDS)
    assert expected
    assert found.moved == expected
    assert found.mean_change == pytest.approx(np.mean(np.subtract(now, was)), abs=1e-15)
    table = np.zeros((4, 4), int)
    np.add.at(table, bands, 1)
    assert found.table == table.tolist()


def test_whom_the_other_model_refuses_and_who_cannot_be_compared_is_counted(
    loaded: Artifact, make_model: Callable[..., RiskModel], receipts: list[Receipt]
) -> None:
    demanding = replace(loaded, model=make_model(required=("ecog",)))
    unreadable = replace(receipts[0], document={**(receipts[0].document or {}), "patient": {"format": 9}})
    without = replace(receipts[0], document={**(receipts[0].document or {}), "answer": {"risks": {}}})
    closed = [Receipt(record(8), None, ERASED), Receipt(record(9), None, BROKEN)]
    found = rescored([receipts[0], receipts[1], unreadable, without, *closed], demanding, 90, BANDS)
    assert found.refused == {"insufficient data": 2}
    assert found.left_out == {
        "this version cannot read the patient": 1,
        "no risk within 90 days in the receipt": 1,
        "erased": 1,
        "broken": 1,
    }
    assert (found.compared, found.mean_change) == (0, None)


def test_a_horizon_that_the_other_model_does_not_serve_is_refused(loaded: Artifact) -> None:
    with pytest.raises(NoSuchHorizon, match="45 days: allowed are the horizons that hand-made serves: 30, 90, 180, 365"):
        rescored([], loaded, 45, BANDS)


def test_the_bands_are_named_and_a_risk_on_the_cut_is_in_the_upper_one(loaded: Artifact) -> None:
    found = rescored([], loaded, 90, BANDS)
    assert found.names() == ["below 10 %", "10 to 20 %", "20 to 40 %", "40 % and more"]
    found.add(1, 0.1, 0.4)
    assert found.moved == [Moved(1, 0.1, 0.4, 1, 3)]
    assert found.as_json()["moved"] == [{"sequence": 1, "was": 0.1, "now": 0.4, "was_band": 1, "now_band": 3}]
