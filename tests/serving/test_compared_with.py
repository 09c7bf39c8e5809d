"""A patient is scored again and compared with an earlier receipt: what changed adds up, is replayed, and is nobody else's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import Response

from models import artifact as artifacts
from models.artifact import Artifact
from models.changed import BASELINE
from models.explanation import TIME_BOUND
from models.identity import Identity, Role
from models.risk import Calibration
from serving import comparing
from serving.app import create_app
from serving.current import Current
from serving.keeping import Keeping, opened_receipts
from serving.problems import PROBLEM
from serving.receipts.archive import Archive
from serving.receipts.finding import Receipt
from serving.receipts.keys import read_keys
from serving.receipts.models_kept import MODELS, KeptModels, keep_model
from serving.receipts.record import ACCESS
from serving.receipts.replay import DIFFERS, EQUAL, NOT_REPLAYABLE, replayed
from serving.receipts.writer import Writer
from serving.wire import read_line

LABS = {"alc": (0.6, "10*9/L"), "anc": (6.5, "10*9/L"), "albumin": (31.0, "g/L"), "ca19_9": (900.0, "U/mL")}
BETTER = {"alc": (1.6, "10*9/L"), "anc": (4.0, "10*9/L"), "albumin": (39.0, "g/L"), "ca19_9": (120.0, "U/mL")}


def patient(labs: dict[str, tuple[float, str]] = LABS, as_of: str = "2026-03-30", **more: Any) -> dict[str, Any]:
    measured = [{"analyte": name, "value": value, "unit": unit, "date": as_of} for name, (value, unit) in labs.items()]
    person = {"id": "p-1", "as_of": as_of, "age_years": 61, "tumour": "pancreatic", "measurements": measured}
    return person | {"history": {"prior_lines": 2}} | more


class Wards:
    """Lets everybody in as a clinician of the ward that they name; "/name" is somebody without one."""

    async def identity(self, asking: HTTPConnection) -> Identity | None:
        unit, _, name = asking.headers["x-who"].partition("/")
        return Identity(name, frozenset({Role.CLINICIAN}), unit, "API key")

    def turned_back(self, asking: HTTPConnection, title: str) -> Response | None:
        return None


@dataclass(frozen=True)
class House:
    """A service whose model can be exchanged, and its receipts."""

    app: Starlette
    current: Current
    writer: Writer
    archive: Archive
    first: Artifact
    second: Artifact

    def ask(self, document: object, who: str = "Ward 3/a") -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.post("/v1/scores", json=document, headers={"x-who": who})

        return asyncio.run(once())

    def scored(self, document: object, who: str = "Ward 3/a") -> dict[str, Any]:
        found = self.ask(document, who)
        assert found.status_code == 200
        said: dict[str, Any] = found.json()
        return said

    def receipt(self, said: dict[str, Any]) -> Receipt:
        record = self.archive.store.record(said["receipt"]["sequence"])
        assert record is not None
        return self.archive.receipt(record)

    def replayed(self, said: dict[str, Any]) -> tuple[str, str]:
        (found,) = replayed([self.receipt(said)], KeptModels(self.archive.folder))
        return found.verdict, found.why


@pytest.fixture(scope="module")
def later_folder(tmp_path_factory: pytest.TempPathFactory, loaded: Artifact) -> Path:
    """A second model: calibrated otherwise, and with another baseline."""
    model, folder = loaded.model, tmp_path_factory.mktemp("later")
    moved = Calibration(model.calibration.intercept + 0.3, model.calibration.slope * np.array([1.2, 1.1, 0.9, 0.8]))
    artifacts.save(replace(model, calibration=moved), folder, files={}, provenance={"cohort": "none"})
    return folder


@pytest.fixture(scope="module")
def built(
    loaded: Artifact, model_folder: Path, later_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    folder, second = tmp_path_factory.mktemp("compared"), artifacts.load(later_folder)
    keeping = Keeping(folder / "receipts", folder / "receipts.key")
    with opened_receipts(keeping, loaded, model_folder, "St. Elsewhere", lambda said: None) as writer:
        archive = Archive.open(keeping.folder, read_keys(keeping.key))
        keep_model(keeping.folder, later_folder, second.digest)
        current = Current(loaded)
        app = create_app(current, writer, "St. Elsewhere", access=Wards(), archive=archive)
        yield House(app, current, writer, archive, loaded, second)


@pytest.fixture
def house(built: House) -> Iterator[House]:
    """The service, answering by the first model; both are kept again when a test is over."""
    built.current.take(built.first)
    yield built
    away = built.archive.folder / "away"
    if away.exists():
        away.rename(built.archive.folder / MODELS / built.first.digest)
        built.archive.models._found.clear()


def lose_the_first_model(house: House) -> None:
    (house.archive.folder / MODELS / house.first.digest).rename(house.archive.folder / "away")
    house.archive.models._found.clear()  # as after the service began again


def number(said: dict[str, Any]) -> int:
    found: int = said["receipt"]["sequence"]
    return found


def again(house: House, then: dict[str, Any], labs: dict[str, tuple[float, str]] = BETTER, **more: Any) -> dict[str, Any]:
    return house.scored(patient(labs, "2026-05-04", compared_with=number(then), **more))


def test_what_changed_sums_to_the_difference_of_the_two_risks_that_were_shown(house: House) -> None:
    then = house.scored(patient())
    house.current.take(house.second)
    now = again(house, then)
    assert set(now["change"]["horizons"]) == {"30", "90", "180", "365"}
    for days, one in now["change"]["horizons"].items():
        assert (one["from"], one["to"]) == (then["risks"][days]["risk"], now["risks"][days]["risk"])
        total = sum(one["patient"].values()) + sum(one["model"].values())
        assert total == pytest.approx(100 * (one["to"] - one["from"]), abs=1e-7)
        assert BASELINE in one["model"]
        assert BASELINE not in one["patient"]
        assert TIME_BOUND in one["patient"]
    assert now["change"]["horizons"]["90"]["patient"]["lymphocytes and inflammation"] < -1


def test_the_patients_part_is_what_the_model_of_then_says_of_each_group_in_every_order(house: House) -> None:
    then = house.scored(patient())
    by_the_old_one = house.scored(patient(BETTER, "2026-05-04"))
    house.current.take(house.second)
    told = again(house, then)["change"]["horizons"]["90"]["patient"]
    before, after = ({one["group"]: one["term"] for one in horizon(said)["groups"]} for said in (then, by_the_old_one))
    groups = [group for group in before if before[group] != after[group]]
    expected = dict.fromkeys(before, 0.0)
    orders = list(permutations(groups))
    for order in orders:
        at = horizon(then)["log_odds"]
        for group in order:
            step = after[group] - before[group]
            expected[group] += 100 * (risk(at + step) - risk(at)) / len(orders)
            at += step
    assert told == pytest.approx(expected, abs=1e-9)


def test_the_same_model_has_no_part_in_it(house: House) -> None:
    then = house.scored(patient())
    for one in again(house, then)["change"]["horizons"].values():
        assert set(one["model"].values()) == {0.0}
        assert "model update 0.0" in one["text"]


def test_the_same_patient_under_another_model_has_no_part_in_it(house: House) -> None:
    then = house.scored(patient())
    house.current.take(house.second)
    for one in house.scored(patient(compared_with=number(then)))["change"]["horizons"].values():
        assert set(one["patient"].values()) == {0.0}
        assert one["to"] != one["from"]


def test_the_sentence_names_the_receipt_the_parts_and_that_it_is_an_association(house: House) -> None:
    then = house.scored(patient())
    now = again(house, then)
    (line,) = [one for one in now["text"].split("\n") if one.startswith("Since receipt ")]
    shown = f"{100 * then['risks']['90']['risk']:.1f} %"
    assert line.startswith(f"Since receipt {number(then)} (2026-03-30), within 90 days: {shown} -> ")
    assert "lymphocytes and inflammation -" in line
    assert "association and not cause" in line


def test_a_group_that_moved_through_estimates_is_named_as_such(house: House) -> None:
    then = house.scored(patient({name: LABS[name] for name in ("alc", "anc", "albumin")}))
    now = again(house, then)
    assert "tumour burden" in now["change"]["horizons"]["90"]["estimated"]
    assert "for the most part through estimates of what was not measured: tumour burden" in now["text"]
    measured = again(house, house.scored(patient()))["change"]["horizons"]["90"]
    assert "tumour burden" not in measured["estimated"]
    assert abs(measured["patient"]["tumour burden"]) > 0.1


def test_the_receipt_names_the_earlier_one_by_digest_and_model(house: House) -> None:
    then = house.scored(patient())
    earlier = (house.receipt(again(house, then)).document or {})["answer"]["change"]["earlier"]
    assert (earlier["receipt"], earlier["digest"]) == (number(then), then["receipt"]["digest"])
    assert earlier["model"] == {"name": then["model"]["name"], "digest": then["model"]["digest"]}
    assert earlier["as_of"] == "2026-03-30"


def test_what_changed_is_replayed_to_the_bit(house: House) -> None:
    then = house.scored(patient())
    house.current.take(house.second)
    now = again(house, then)
    assert house.replayed(now) == (EQUAL, "")


def test_a_change_that_was_altered_is_found_when_it_is_replayed(house: House) -> None:
    then = house.scored(patient())
    receipt = house.receipt(again(house, then))
    document = deepcopy(dict(receipt.document or {}))
    document["answer"]["change"]["horizons"]["90"]["patient"]["tumour burden"] += 1e-6
    (found,) = replayed([replace(receipt, document=document)], KeptModels(house.archive.folder))
    assert found.verdict == DIFFERS
    assert found.places == ("/change/horizons/90/patient/tumour burden",)


def test_without_the_model_of_then_a_change_is_not_replayed_in_silence(house: House) -> None:
    then = house.scored(patient())
    house.current.take(house.second)
    now = again(house, then)
    lose_the_first_model(house)
    verdict, why = house.replayed(now)
    assert verdict == NOT_REPLAYABLE
    assert why.startswith("model of the earlier score missing: no model ")


@pytest.mark.parametrize(
    ("document", "who", "allowed"),
    [
        (patient(BETTER, "2026-05-04", id="p-2"), "Ward 3/a", comparing.OWN),
        (patient(BETTER, "2026-05-04"), "Ward 7/b", comparing.YOURS),
        (patient(BETTER, "2026-05-04", id=None), "Ward 3/a", comparing.NAMED),
        (patient(BETTER, "2026-03-29"), "Ward 3/a", comparing.BEFORE),
    ],
)
def test_an_earlier_score_that_is_not_this_patients_is_refused_with_the_reason(
    house: House, document: dict[str, Any], who: str, allowed: str
) -> None:
    then = house.scored(patient())
    written = house.archive.store.last()
    refused = house.ask(document | {"compared_with": number(then)}, who)
    assert (refused.status_code, refused.headers["content-type"]) == (422, PROBLEM)
    assert refused.json()["title"] == "no score: it cannot be compared with the earlier one that was named"
    assert refused.json()["errors"] == [{"pointer": "/compared_with", "detail": f"compared_with: allowed is {allowed}"}]
    scores = [one for one in house.archive.store.records(written.sequence if written else 0) if one.kind != ACCESS]
    assert scores == []


def test_another_units_receipt_is_told_of_in_the_words_of_one_that_is_not_there_and_noted(house: House) -> None:
    then = house.scored(patient())
    none = house.ask(patient(compared_with=4711), "Ward 7/b").json()
    assert house.ask(patient(compared_with=number(then)), "Ward 7/b").json() == none
    notes = [json.loads(one.payload) for one in house.archive.store.records(number(then)) if one.kind == ACCESS]
    assert [(one["did"], one["what"]) for one in notes] == [
        ("looked for no receipt", {"receipt": 4711}),
        ("looked for another unit's receipt", {"receipt": number(then)}),
    ]


def test_both_are_told_as_late(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    then = house.scored(patient())
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("serving.comparing.asyncio.sleep", sleep)
    for named in (4711, number(then)):
        house.ask(patient(compared_with=named), "Ward 7/b")
    assert len(slept) == 2
    assert all(0 < one <= comparing.REFUSED_SECONDS for one in slept)


def test_whoever_has_no_unit_is_compared_with_their_own_alone(house: House) -> None:
    then = house.scored(patient(), "/a")
    assert house.ask(patient(compared_with=number(then)), "/b").status_code == 422
    assert "change" in house.scored(patient(compared_with=number(then)), "/a")


def test_an_event_is_no_earlier_score(house: House) -> None:
    refused = house.ask(patient(compared_with=1))
    assert refused.json()["errors"][0]["detail"] == f"compared_with: allowed is {comparing.YOURS}"


def test_an_erased_score_is_refused_with_the_reason(house: House) -> None:
    then = house.scored(patient(id="p-8"))
    house.writer.erase(by="B. Okoro", reason="asked by the patient", subject=house.archive.keys.subject("p-8"))
    refused = house.ask(patient(id="p-8", compared_with=number(then)))
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["detail"] == f"compared_with: allowed is {comparing.KEPT}"


def test_a_score_whose_model_is_no_longer_kept_is_refused_with_the_reason(house: House) -> None:
    then = house.scored(patient())
    house.current.take(house.second)
    lose_the_first_model(house)
    refused = house.ask(patient(compared_with=number(then)))
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["detail"] == f"compared_with: allowed is {comparing.MODEL}"


@pytest.mark.parametrize("named", [0, -1, 1.0, True, "2", [2]])
def test_what_is_no_number_of_a_receipt_is_a_fault(house: House, named: object) -> None:
    refused = house.ask(patient(compared_with=named))
    assert refused.status_code == 422
    detail = "compared_with: allowed is the number of an earlier receipt, a whole number from 1 on"
    assert refused.json()["errors"] == [{"pointer": "/compared_with", "detail": detail}]


def test_null_names_no_receipt(house: House) -> None:
    assert "change" not in house.scored(patient(compared_with=None))


def test_all_faults_of_the_patient_are_told_with_that_of_the_number(house: House) -> None:
    refused = house.ask(patient(compared_with="2", age_years=None))
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/age_years", "/compared_with"]


def test_one_of_several_patients_names_no_receipt(house: House) -> None:
    said = house.scored({"patients": [patient(compared_with=2)]})
    assert said["scores"][0]["errors"][0]["pointer"] == "/patients/0/compared_with"


def test_a_line_of_a_file_names_no_receipt() -> None:
    read = read_line(json.dumps(patient(compared_with=2)).encode())
    assert "/compared_with" in str(read)


def test_what_is_erased_takes_the_comparison_with_it(house: House) -> None:
    then = house.scored(patient(id="p-9"))
    now = again(house, then, id="p-9")
    house.writer.erase(by="B. Okoro", reason="asked by the patient", subject=house.archive.keys.subject("p-9"))
    assert house.receipt(now).document is None


def horizon(said: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = said["explanation"]["horizons"]["90"]
    return found


def risk(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))
