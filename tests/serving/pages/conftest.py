"""A service with receipts in it, and browsers of every role that have signed in to it."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import axe_playwright_python
import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from models.artifact import Artifact
from models.identity import Identity, Role
from serving.access.proofs import Proofs
from serving.access.session_store import SessionStore
from serving.access.sessions import Sessions
from serving.app import create_app
from serving.keeping import Keeping, opened_receipts
from serving.protection import HEADERS
from serving.receipts import group
from serving.receipts.archive import Archive
from serving.receipts.keys import read_keys
from serving.receipts.record import ACCESS
from serving.receipts.writer import Writer
from serving.recorded import Answering
from serving.wire import read_line

Fill = Callable[[Writer], None]
SITE, HERE, ELSEWHERE = "St. Elsewhere", "Ward 3", "Ward 7"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
ABORTED = "net::ERR_ABORTED"  # of a page that became a download
SCORES = 8  # receipts 2 to 9, after the opening
DESK, PHONE = (1280, 900), (390, 844)
WIDER = """() => [...document.querySelectorAll("body *")]
  .filter(one => !one.closest(".frame > *, .scroll > *, article > section > *, .skip, .hidden"))
  .filter(one => one.getBoundingClientRect().right > innerWidth + .5 || one.getBoundingClientRect().left < -.5)
  .map(one => one.tagName + ": " + one.textContent.slice(0, 60))"""
WHOLE, OF_ANOTHER_UNIT, ERASED, ERASURE = 2, 4, 6, 10  # numbers of receipts


def somebody(role: Role, unit: str = HERE) -> Identity:
    return Identity("A. Frey", frozenset({role}), unit, "https://id.example")


def patient(place: int) -> dict[str, Any]:
    labs = {"alc": (700 + 100 * place, "cells/uL"), "anc": (4.5, "10*9/L"), "albumin": (3.4, "g/dL")}
    measured = [
        {"analyte": analyte, "value": value, "unit": unit, "date": "2026-11-01" if analyte == "albumin" else "2026-11-18"}
        for analyte, (value, unit) in labs.items()
    ]
    return {"id": f"p-{place}", "as_of": "2026-11-20", "age_years": 66, "tumour": "pancreatic", "measurements": measured}


@dataclass(frozen=True)
class House:
    """The service, what lies behind it, and whoever signs in to it."""

    app: Starlette
    writer: Writer
    archive: Archive
    sessions: Sessions

    def cookie(self, identity: Identity) -> str:
        """Name and value of the cookie of a browser that has signed in."""
        return self.sessions.begin(identity).partition(";")[0]

    def ask(
        self, who: Identity | Role | None, path: str, form: Mapping[str, str] | None = None, token: str | None = None
    ) -> httpx.Response:
        """What a browser is answered; a `form` is posted with the token that its page held, or the one given."""
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"}
        if who is not None:
            headers["cookie"] = self.cookie(somebody(who) if isinstance(who, Role) else who)

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://risk.example", headers=headers) as asking:
                if form is None:
                    return await asking.get(path)
                found = re.search(r'name="csrf" value="([0-9a-f]*)"', (await asking.get("/")).text)
                given = token if token is not None else found[1] if found else ""
                return await asking.post(path, data={**form, "csrf": given})

        return asyncio.run(once())

    @property
    def notes(self) -> list[tuple[str, dict[str, Any]]]:
        """What was noted of access, in order: what was done, and to what."""
        found = [json.loads(one.payload) for one in self.archive.store.records() if one.kind == ACCESS]
        return [(one["did"], one["what"]) for one in found]

    def document(self, number: int) -> Mapping[str, Any]:
        """What a receipt holds."""
        record = self.archive.store.record(number)
        assert record is not None
        found = self.archive.receipt(record).document
        assert found is not None
        return found


@contextmanager
def built(artifact: Artifact, model: Path, folder: Path, database: str = "", fill: Fill | None = None) -> Iterator[House]:
    """A service of `artifact` with an opening, SCORES scores of two units, and an erasure (in PostgreSQL the owner's).

    `fill` writes something else in the place of those.
    """
    keeping = Keeping(folder / "receipts", folder / "receipts.key", database=database)
    with opened_receipts(keeping, artifact, model, SITE, lambda said: None) as writer:
        archive = Archive.open(keeping.folder, read_keys(keeping.key), database=database)
        if fill:
            fill(writer)
        else:
            _fill(artifact, writer, "" if database else archive.keys.subject(f"p-{ERASED}"))
        store = SessionStore(folder / "access")
        sessions = Sessions(store)
        app = create_app(artifact, writer, SITE, access=Proofs(sessions=sessions), archive=archive, sessions=sessions)
        yield House(app, writer, archive, sessions)
        store.close()


def _fill(artifact: Artifact, writer: Writer, erased: str) -> None:
    for number in range(2, SCORES + 2):
        writer.record([scored(artifact, patient(number), ELSEWHERE if number == OF_ANOTHER_UNIT else HERE)])
    if erased:
        writer.erase(by="B. Okoro", reason="asked by the patient", subject=erased)


def scored(artifact: Artifact, person: Mapping[str, Any], unit: str) -> Any:
    """What is recorded of a score asked for by a clinician."""
    given = json.dumps(person).encode()
    caller = {"by": "HTTP", "from": "loopback", "request": None, "who": dict(somebody(Role.CLINICIAN, unit).as_json())}
    answered = Answering(artifact, SITE).answered([(read_line(given), lambda: given)], caller, lambda place, refused: {})
    return answered.drafts[0]


def crowd(month: int, sicker: float) -> list[dict[str, Any]]:
    """Forty patients of a month, enough to be told of; `sicker` takes away from their albumin (g/dL)."""
    found = []
    for place in range(40):
        one = patient(place % 20) | {"id": f"c-{month}-{place}", "age_years": 45 + place}
        one |= {"tumour": ("pancreatic", "nsclc", "colorectal")[place % 3], "sex": ("female", "male")[place % 2]}
        one["measurements"][2]["value"] = round(3.9 - sicker - place % 7 / 10, 1)
        one["history"] = {"prior_lines": place % 4, "prior_systemic_therapy": "yes" if place % 4 else "no"}
        found.append(one)
    return found


@contextmanager
def crowded(first: Artifact, later: Artifact, model: Path, folder: Path) -> Iterator[House]:
    """A service with forty patients in September; fifty, forty of them sicker, in October; forty by the later model in November.

    Ten of those in October are of September; three of each month are of another unit.
    """
    september, october = crowd(9, 0.0), crowd(10, 0.9)
    months = {"2026-09-10": september, "2026-10-05": [*october, *september[:10]], "2026-11-12": crowd(11, 0.0)}

    def fill(writer: Writer) -> None:
        for day, several in months.items():
            patch.setattr(group.datetime, "datetime", clock(day))
            answers = later if day == "2026-11-12" else first
            units = [ELSEWHERE if place in (1, 5, 9) else HERE for place in range(len(several))]
            writer.record([scored(answers, one, unit) for one, unit in zip(several, units, strict=True)], 60)
        patch.undo()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group.datetime, "datetime", clock("2026-09-01"))
        with built(later, model, folder, fill=fill) as found:
            yield found


def clock(day: str) -> type[datetime.datetime]:
    """One that stands still at noon of that day."""

    class Then(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")

    return Then


@pytest.fixture
def house(simulated: Artifact, simulated_folder: Path, tmp_path: Path) -> Iterator[House]:
    """A service of a model of simulated patients, for one test."""
    with built(simulated, simulated_folder, tmp_path) as found:
        yield found


@pytest.fixture(scope="session")
def many(
    loaded: Artifact, simulated: Artifact, simulated_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A service with receipts of many patients, by two models."""
    with crowded(loaded, simulated, simulated_folder, tmp_path_factory.mktemp("many")) as found:
        yield found


@pytest.fixture(scope="module")
def shared(simulated: Artifact, simulated_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same for all tests of a module: notes pile up in it."""
    with built(simulated, simulated_folder, tmp_path_factory.mktemp("house")) as found:
        yield found


@contextmanager
def listening(house: House) -> Iterator[str]:
    """Where the service answers over HTTP, with the headers that its server adds; /enter/<role> signs in, for tests alone."""

    async def entered(scope: Scope, receive: Receive, send: Send) -> None:
        _, way, role = (*scope["path"].split("/"), "")[:3]
        if way != "enter":
            return await house.app(scope, receive, send)
        signed_in = house.sessions.begin(somebody(Role(role)))
        answer = Response('<link rel="icon" href="data:,">', 200, {"set-cookie": signed_in}, "text/html")
        return await answer(scope, receive, send)

    config = uvicorn.Config(entered, host="127.0.0.1", port=0, log_level="error", lifespan="off", headers=list(HEADERS))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser(debian: Callable[[str, str | None], str]) -> Iterator[Browser]:
    program = debian("chromium", os.environ.get("CHROMIUM_PATH") or shutil.which("chromium"))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@contextmanager
def entered(browser: Browser, url: str, role: Role, size: tuple[int, int] = DESK, **how: Any) -> Iterator[Page]:
    """A browser in which somebody of that role has signed in; leaving it, nothing may have been complained of."""
    viewport = {"width": size[0], "height": size[1]}
    context: BrowserContext = browser.new_context(viewport=viewport, base_url=url, **how)
    page, heard = context.new_page(), list[str]()
    page.goto(f"/enter/{role.value}")
    page.on("console", lambda said: told_of_itself(page, said) or heard.append(said.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("requestfailed", lambda failed: failed.failure == ABORTED or heard.append(failed.url))
    page.on("request", lambda asked: asked.url.startswith(url) or heard.append(f"elsewhere: {asked.url}"))
    yield page
    context.close()
    assert heard == []


def told_of_itself(page: Page, said: ConsoleMessage) -> bool:
    """Whether the browser only tells that the page itself was "not found" or "not for you", which is a page, too."""
    return "status of 4" in said.text and said.location["url"] == page.url


def violations(page: Page) -> list[str]:
    """What axe finds wrong, with where."""
    page.evaluate(AXE)  # through the protocol: no page of ours would take a script like that
    found = page.evaluate("() => axe.run()")["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]
