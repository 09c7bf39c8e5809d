"""What the operator is told: every reason why no score would be answered, what was counted, and who asked too often."""

from __future__ import annotations

import asyncio
import datetime
import shutil
import time
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import Response

from models.artifact import Artifact, verify
from models.identity import Identity, Role
from serving import readiness
from serving.access.door import Unproved
from serving.app import create_app
from serving.current import Current
from serving.limits import Rate, Rates
from serving.operating import Operation
from serving.readiness import OnDisk, clock
from serving.receipts.record import ACCESS, Signed

PATIENT: dict[str, Any] = {
    "id": "p-1",
    "as_of": "2026-03-31",
    "age_years": 61,
    "tumour": "pancreatic",
    "measurements": [
        {"analyte": "alc", "value": 0.9, "unit": "10*9/L", "date": "2026-03-30"},
        {"analyte": "albumin", "value": 36, "unit": "g/L", "date": "2026-03-30"},
    ],
}


class Kept(Protocol):
    """Receipts in memory."""

    drafts: list[Any]
    fault: str

    def record(self, drafts: list[Any]) -> list[Signed]: ...


class Named:
    """Lets everybody in under the name and role that they send; `nobody` cannot prove it."""

    async def identity(self, asking: HTTPConnection) -> Identity | None:
        name, _, role = asking.headers["x-who"].partition("/")
        if name == "nobody":
            raise Unproved("what was shown has expired")
        return Identity(name, frozenset({Role(role)}), "Ward 3", "API key")

    def turned_back(self, asking: HTTPConnection, title: str) -> Response | None:
        return None


def service(loaded: Artifact, receipts: Any, **operation: Any) -> Starlette:
    return create_app(loaded, receipts, access=Named(), operation=Operation(**operation))


def ask(app: Starlette, method: str, path: str, who: str = "ward/clinician", body: object = None) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, json=body, headers={"x-who": who})

    return asyncio.run(once())


def figures(app: Starlette) -> dict[str, float]:
    """What /metrics tells, by name and labels."""
    said = ask(app, "GET", "/metrics", "ops/administrator")
    assert said.status_code == 200
    samples = [sample for family in text_string_to_metric_families(said.text) for sample in family.samples]
    return {" ".join([one.name, *map("=".join, sorted(one.labels.items()))]): one.value for one in samples}


def test_every_reason_why_it_is_not_ready_is_told(loaded: Artifact, receipts: Kept) -> None:
    app = service(loaded, receipts, checks=[lambda: "", lambda: "the witness cannot be written", lambda: "the clock is wrong"])
    assert ask(app, "GET", "/readyz").json()["title"] == "not ready: the witness cannot be written; the clock is wrong"
    receipts.fault = "the disk is full"
    found = ask(app, "GET", "/readyz")
    assert found.json()["title"] == "not ready: the disk is full; the witness cannot be written; the clock is wrong"
    assert (found.status_code, found.headers["retry-after"], found.headers["cache-control"]) == (503, "2", "no-store")


def test_whoever_asks_while_it_is_found_out_gets_the_same_answer(loaded: Artifact, receipts: Kept) -> None:
    found_out: list[int] = []

    def slowly() -> str:
        time.sleep(0.1)
        found_out.append(1)
        return ""

    async def many(app: Starlette) -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return [one.status_code for one in await asyncio.gather(*(client.get("/readyz") for _ in range(20)))]

    assert asyncio.run(many(service(loaded, receipts, checks=[slowly]))) == [200] * 20
    assert len(found_out) == 1


def test_releases_that_cannot_be_taken_up_are_a_reason_without_the_names_of_folders(loaded: Artifact, receipts: Kept) -> None:
    current = Current(loaded)
    app = create_app(current, receipts, access=Named())  # type: ignore[arg-type]  # as the protocol of the fixture
    current.fault = "the releases name another model, and it cannot be trusted: /srv/releases/x differs"
    title = "not ready: the releases name another model, and it cannot be trusted"
    assert ask(app, "GET", "/readyz").json()["title"] == title
    current.fault = ""
    assert ask(app, "GET", "/readyz").status_code == 200


def test_a_model_that_was_altered_or_removed_since_is_a_reason(loaded: Artifact, model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, kept := tmp_path / loaded.digest)
    check = OnDisk(tmp_path, Current(loaded))
    assert (check(), check()) == ("", "")
    largest = max((path for path in kept.iterdir()), key=lambda path: path.stat().st_size)
    whole = largest.read_bytes()
    largest.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "no longer on the disk" in check()
    largest.write_bytes(whole)
    assert check() == ""
    shutil.rmtree(kept)
    assert "no longer on the disk" in check()


def test_files_that_did_not_change_are_not_read_again(
    loaded: Artifact, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(model_folder, tmp_path / loaded.digest)
    read: list[str] = []
    monkeypatch.setattr(readiness, "verify", lambda folder, digest: (read.append(digest), verify(folder, digest)))
    check = OnDisk(tmp_path, Current(loaded))
    assert [check() for _ in range(5)] == [""] * 5
    assert read == [loaded.digest]


def head(ahead: float) -> Signed:
    time = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ahead)
    return Signed("s", 7, "0" * 64, time.isoformat(timespec="microseconds").replace("+00:00", "Z"), "")


@pytest.mark.parametrize(("ahead", "said"), [(None, ""), (-5.0, ""), (1.0, ""), (60.0, "behind the last receipt")])
def test_a_clock_behind_the_last_receipt_is_a_reason(ahead: float | None, said: str) -> None:
    last = None if ahead is None else head(ahead)
    found = clock(lambda: last)()
    assert said in found
    assert bool(said) == bool(found)


def test_a_clock_from_before_this_program_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "BUILT", 9000)
    assert "this program is of 9000" in clock(lambda: None)()


def test_what_is_answered_is_counted_by_routes_and_kinds(loaded: Artifact, receipts: Kept) -> None:
    app = service(loaded, receipts, head=lambda: head(0))
    patients = [PATIENT, PATIENT | {"id": "p-2"}, PATIENT | {"id": "p-3", "age_years": 17}]
    assert ask(app, "POST", "/v1/scores", body={"patients": patients}).status_code == 200
    assert ask(app, "POST", "/v1/scores", body=PATIENT | {"age_years": 17}).status_code == 422
    found = figures(app)
    assert found["lymphorisk_scores_total"] == 2
    assert found["lymphorisk_patients_refused_total why=not eligible"] == 2
    assert found[f"lymphorisk_model_info digest={loaded.digest} name={loaded.model.name}"] == 1
    assert abs(found["lymphorisk_last_head_time_seconds"] - datetime.datetime.now(datetime.UTC).timestamp()) < 60


def test_metrics_are_the_administrators(loaded: Artifact, receipts: Kept) -> None:
    app = service(loaded, receipts)
    statuses = {role: ask(app, "GET", "/metrics", f"x/{role}").status_code for role in Role}
    assert statuses == {role: 200 if role == Role.ADMINISTRATOR else 403 for role in Role}


def test_who_asks_too_often_is_told_when_to_come_again_and_leaves_no_more_notes(loaded: Artifact, receipts: Kept) -> None:
    app = service(loaded, receipts, waiting=Rates(Rate(0.4, 2), lambda: 0.0).waiting)
    assert [ask(app, "POST", "/v1/scores", body=PATIENT).status_code for _ in range(3)] == [200, 200, 429]
    found = ask(app, "POST", "/v1/scores", body=PATIENT)
    assert (found.headers["retry-after"], found.headers["ratelimit"]) == ("3", '"identity";r=0;t=3')
    assert "ward" not in found.text
    assert ask(app, "POST", "/v1/scores", "other/clinician", PATIENT).status_code == 200
    denied = [ask(app, "POST", "/v1/scores", "auditing/auditor", PATIENT).status_code for _ in range(5)]
    assert denied == [403, 403, 429, 429, 429]
    assert sum(draft.kind == ACCESS for draft in receipts.drafts) == 2
    assert ask(app, "GET", "/livez").status_code == 200  # of whoever asks
