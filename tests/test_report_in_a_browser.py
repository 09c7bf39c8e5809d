"""The two pages that a run leaves are opened in Chromium: whole without a network, at a desk and on a phone, and on paper."""

from __future__ import annotations

import base64
import json
import os
import re
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import lymphorisk
from models.example import EXAMPLE
from training.simulation.files import write
from training.simulation.simulate import simulate

PAGES = ("model-report.html", "later.html")
DESK, PHONE = (1200, 800), (400, 800)
PAPER = (717, 1046)  # of A4 in CSS pixels, less the margins of 1 cm that Chromium leaves
WAIT = 60  # seconds
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe")
QUIET = ("--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND")

WHOLE = """({
  first: document.querySelector("body > p").textContent,
  title: document.title,
  headings: [...document.querySelectorAll("h1, h2")].map(one => one.textContent),
  empty: [...document.querySelectorAll("section")].filter(one => !one.querySelector("table, p, ul, figure")).length,
  rows: [...document.querySelectorAll("table")].map(one => one.tBodies[0].rows.length),
  images: [...document.images].map(one => [one.complete, one.naturalWidth, one.getBoundingClientRect().width]),
  style: getComputedStyle(document.querySelector("table")).borderCollapse,
})"""
WIDER = """[...document.querySelectorAll("body *")].filter(one => !one.closest(".skip"))
  .filter(one => one.matches(".table") || !one.closest(".table"))
  .filter(one => one.getBoundingClientRect().right > innerWidth + .5 || one.getBoundingClientRect().left < -.5)
  .map(one => one.tagName + ": " + one.textContent.slice(0, 60))"""
CUT = """[...document.querySelectorAll(".table")].filter(one => one.scrollWidth > one.clientWidth)
  .filter(one => !["auto", "scroll"].includes(getComputedStyle(one).overflowX) || one.tabIndex != 0).length"""
HIDDEN = """[...document.querySelectorAll("nav a")].filter(link => {
  link.click();
  const heading = document.querySelector(link.hash), place = heading.getBoundingClientRect();
  const banner = document.querySelector(".example").getBoundingClientRect();
  const top = place.top + parseFloat(getComputedStyle(heading).paddingTop);
  return top < banner.bottom || place.top > innerHeight;
}).map(link => link.textContent)"""


class Chromium:
    """One page of a browser, asked through the pipe of its DevTools protocol (commands and answers end in a NUL)."""

    def __init__(self, program: str, home: Path) -> None:
        # the protocol is spoken on descriptors 3 and 4; the shell moves our two pipes there
        moved = ("sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh")
        words = [*moved, program, *FLAGS, *QUIET, f"--user-data-dir={home}"]
        environment = os.environ | {"HOME": str(home)}
        self.process = subprocess.Popen(
            words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.session, self.number, self.heard, self.rest = "", 0, list[dict[str, Any]](), b""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for room in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{room}.enable")

    def ask(self, command: str, **given: object) -> dict[str, Any]:
        """The answer to a command; what happens meanwhile is kept in `heard`."""
        self.number += 1
        said = {"id": self.number, "method": command, "params": given} | ({"sessionId": self.session} if self.session else {})
        self.process.stdin.write(json.dumps(said).encode() + b"\0")
        self.process.stdin.flush()
        while (told := self._next()).get("id") != self.number:
            self.heard.append(told)
        assert "error" not in told, told
        return told["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            assert select.select([self.process.stdout], [], [], WAIT)[0], "Chromium says nothing"
            piece = os.read(self.process.stdout.fileno(), 1 << 20)
            assert piece, f"Chromium ended with {self.process.wait(WAIT)}"
            self.rest += piece
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def open(self, url: str, size: tuple[int, int], media: str = "screen") -> None:
        """Open the page in a window of that size and wait until it is loaded; what is heard is heard of this page."""
        self.ask("Emulation.setEmulatedMedia", media=media)
        self.ask("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)
        self.heard.clear()
        assert "errorText" not in self.ask("Page.navigate", url=url)
        while not any(one.get("method") == "Page.loadEventFired" for one in self.heard):
            self.heard.append(self._next())

    def say(self, expression: str) -> Any:
        """What an expression is worth in the page."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"]["value"]

    def close(self) -> None:
        self.process.stdin.close()  # a browser whose pipe is closed ends by itself
        self.process.wait(WAIT)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def browser(debian: Callable[[str, str | None], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = debian("chromium", os.environ.get("CHROMIUM_PATH") or shutil.which("chromium"))
    chromium = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the page of a training run and the page of its model on later patients, as the command line wrote them."""
    folder = tmp_path_factory.mktemp("left")
    learned, later = write(simulate(500, 3, blemishes=True), folder / "learned"), write(simulate(400, 4), folder / "later")
    apart = ("--bootstrap", 5, "--releases", folder / "releases", "--seal-key", folder / "seal.key")
    quick = ("--no-tracking", "--learner", "linear", "--folds", 2, "--refits", 2)
    for words in (
        ("train", learned, "--out", folder / "model", *quick, *apart),
        ("evaluate", folder / "model", later, "--report", folder / "later.html", *apart),
    ):
        made = CliRunner().invoke(lymphorisk.app, [str(word) for word in words])
        assert made.exit_code == 0, made.stderr
    return folder


@pytest.fixture(scope="module", params=PAGES)
def url(request: pytest.FixtureRequest, left: Path) -> str:
    return (left / request.param).as_uri()


def test_the_page_is_whole_without_a_network(browser: Chromium, url: str) -> None:
    browser.open(url, DESK)
    found = browser.say(WHOLE)
    assert found["first"] == EXAMPLE
    assert found["headings"][0] in found["title"]
    assert "Performance" in " ".join(found["headings"])
    assert found["empty"] == 0
    assert len(found["rows"]) > 4
    assert min(found["rows"]) > 0
    assert found["images"]
    assert all(complete and natural > 300 and shown > 200 for complete, natural, shown in found["images"])
    assert found["style"] == "collapse", "the page wears its style"


def test_it_asks_for_nothing_and_complains_of_nothing(browser: Chromium, url: str) -> None:
    browser.open(url, DESK)
    browser.say("scrollTo(0, document.body.scrollHeight)")
    asked = {one["params"]["request"]["url"] for one in browser.heard if one.get("method") == "Network.requestWillBeSent"}
    assert {one for one in asked if not one.startswith("data:image/png;base64,")} == {url}
    complaints = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    assert [one for one in browser.heard if one.get("method") in complaints] == []


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_nothing_is_wider_than_the_window(browser: Chromium, url: str, size: tuple[int, int]) -> None:
    browser.open(url, size)
    assert browser.say("innerWidth") == size[0]
    assert browser.say(WIDER) == []
    assert browser.say("document.documentElement.scrollWidth") <= size[0]
    assert browser.say(CUT) == 0, "a table that is wider can be scrolled, by keyboard too"


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_banner_stays_and_hides_no_heading_that_is_jumped_to(browser: Chromium, url: str, size: tuple[int, int]) -> None:
    browser.open(url, size)
    assert browser.say(HIDDEN) == []
    browser.say("scrollTo(0, document.body.scrollHeight)")
    assert browser.say("scrollY") > 1000
    assert browser.say("document.querySelector('.example').getBoundingClientRect().top") == 0
    assert browser.say("document.querySelector('.example').getBoundingClientRect().height") < 100


def test_a_keyboard_reaches_the_content_first(browser: Chromium, url: str) -> None:
    browser.open(url, DESK)
    for kind in ("keyDown", "keyUp"):
        browser.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert browser.say("document.activeElement.hash") == "#content"
    assert browser.say("document.activeElement.getBoundingClientRect().left") >= 0


def test_it_prints_on_pages_of_which_no_table_makes_the_words_smaller(browser: Chromium, url: str) -> None:
    browser.open(url, PAPER, media="print")
    assert browser.say("document.documentElement.scrollWidth") <= PAPER[0], "Chromium would shrink every page to fit it"
    paper = base64.b64decode(browser.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])
    assert paper.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) > 1
