"""Sixty-four connections at once, explained at five horizons and receipted, beside the usual way to serve an explained model.

Both answer in turn on the same two processors, round after round, asked by the same clients in a process of their own.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from child import Child, free_port
from marks import Mark
from pressing import Pressed, press, request_of
from throughput import EXAMPLE
from usual import memory, processor, usual

from models import artifact
from models.artifact import load

CONNECTIONS, SECONDS, ROUNDS, STARTS = 64, 15.0, 4, 3
WARM = 3.0  # seconds before anything counts
GROWTH = 10_000  # requests
_LIMITS = "[limits]\nrequests_per_second = 100000.0\nburst = 100000\nat_once = 256\n"


@dataclass
class Side:
    """One of the two: what its rounds gave, and the processor's seconds they took."""

    rounds: list[Pressed] = field(default_factory=list)
    processor: float = 0.0

    @property
    def scores(self) -> int:
        return sum(one.statuses[200] for one in self.rounds)

    @property
    def errors(self) -> int:
        return sum(one.asked - one.statuses[200] for one in self.rounds)

    @property
    def a_request(self) -> float:
        """Milliseconds of the processor."""
        return 1000 * self.processor / self.scores

    @property
    def per_second(self) -> float:
        return self.scores / sum(one.lasted for one in self.rounds)

    @property
    def late(self) -> float:
        """Seconds within which 99 of 100 were answered."""
        return float(np.quantile([each for one in self.rounds for each in one.seconds], 0.99))


@dataclass(frozen=True)
class Loaded:
    """What was found of both."""

    ours: Side
    usual: Side
    first: tuple[float, ...]  # seconds to the first score of each fresh process
    usual_first: tuple[float, ...]
    held: tuple[float, ...]  # MiB after each of our rounds
    served: tuple[int, ...]  # scores by then


def real_model(folder: Path) -> Path:
    """The example, as if it had learned from patients: with keys, no model of simulated ones is served."""
    found, out = load(EXAMPLE), folder / "model"
    booster = (EXAMPLE / "booster.ubj").read_bytes()
    artifact.save(replace(found.model, trained_on="an exam"), out, files={"booster.ubj": booster}, provenance={})
    return out


def key_of_a_clinician(folder: Path) -> str:
    """An API key, made as an administrator makes one; nobody is held back in its name."""
    access = folder / "access"
    whom = ["exam", "--role", "clinician", "--unit", "exam"]
    words = ["keys", "add", *whom, "--access", access, "--access-key", folder / "access.key"]
    made = subprocess.run([sys.executable, "-m", "lymphorisk", *map(str, words)], check=True, capture_output=True, text=True)
    (access / "access.toml").write_text(_LIMITS)
    return made.stdout.strip()


def loaded(
    folder: Path, advance: Callable[..., object], seconds: float = SECONDS, rounds: int = ROUNDS, starts: int = STARTS
) -> Loaded:
    """Start both in turn, then load both in turn."""
    model, key = real_model(folder), key_of_a_clinician(folder)
    who = f"Bearer {key}"
    access = ("--access", folder / "access", "--access-key", folder / "access.key")
    ours, other, held, served = Side(), Side(), [], []
    with ExitStack() as running:
        running.enter_context(_with_bytecode(folder))
        first = [_started(folder, model, access, who) for _ in range(starts + 1)][1:]  # the first writes the bytecode
        child = running.enter_context(Child(folder, model=model, options=access, dev=False, authorization=who))
        peer = running.enter_context(usual(folder, model, free_port()))
        apart = running.enter_context(ProcessPoolExecutor(1, multiprocessing.get_context("spawn")))
        sides = (
            (ours, child.process.pid, child.port, request_of(authorization=who)),
            (other, peer.process, peer.port, peer.request),
        )
        for _, _, port, asked in sides:
            apart.submit(press, port, CONNECTIONS, WARM, sent=asked).result()
        for done in range(rounds):
            for side, process, port, asked in sides:
                before = processor(process)
                side.rounds.append(apart.submit(press, port, CONNECTIONS, seconds, sent=asked).result())
                side.processor += processor(process) - before
            held.append(memory(child.process.pid))
            served.append(ours.scores)
            advance("rounds", done + 1, rounds)
        return Loaded(ours, other, *zip(*first, strict=True), tuple(held), tuple(served))


@contextmanager
def _with_bytecode(folder: Path) -> Iterator[None]:
    """Both find their modules compiled, as a second start does anywhere."""
    changed = {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _started(folder: Path, model: Path, access: Sequence[object], who: str) -> tuple[float, float]:
    """Seconds to the first score of a fresh process of ours, and of the peer's."""
    with Child(folder, model=model, options=access, dev=False, authorization=who) as child:
        ours = child.took
    with usual(folder, model, free_port()) as peer:
        return ours, peer.first


def growth(found: Loaded) -> float:
    """MiB for ten thousand requests, over the second half of the rounds; NaN where there is no half."""
    half = len(found.held) // 2
    if not half:
        return 0.0
    asked = found.served[-1] - found.served[half - 1]
    return GROWTH * (found.held[-1] - found.held[half - 1]) / asked


def sit(
    folder: Path, advance: Callable[..., object], seconds: float = SECONDS, rounds: int = ROUNDS, starts: int = STARTS
) -> list[Mark]:
    """The bars of the issue."""
    found = loaded(folder, advance, seconds, rounds, starts)
    ours, other = found.ours, found.usual
    scores = f"{ours.scores:,} scores; {other.errors} errors in the peer's {other.scores:,}"
    late = f"{1000 * ours.late:.0f} and {1000 * other.late:.0f} ms"
    return [
        Mark("errors of ours", ours.errors, most=0, note=scores),
        Mark("scores per second, times the peer's", ours.per_second / other.per_second, least=8, note=_two(ours, other)),
        Mark("p99, of the peer's", ours.late / other.late, most=0.3, note=late),
        Mark("processor per request, of the peer's", ours.a_request / other.a_request, most=0.1, note=_cost(ours, other)),
        Mark("first score of a fresh process, of the peer's", _ratio(found), most=0.2, note=_first(found)),
        Mark("memory of the process, MiB", found.held[-1], most=120),
        Mark("growth per 10,000 requests, MB", growth(found) * 2**20 / 1e6, most=2),
    ]


def _two(ours: Side, other: Side) -> str:
    ratios = [one.goodput / two.goodput for one, two in zip(ours.rounds, other.rounds, strict=True)]
    return f"{ours.per_second:.0f} and {other.per_second:.0f}; by round {', '.join(f'{one:.1f}' for one in ratios)}"


def _cost(ours: Side, other: Side) -> str:
    return f"{ours.a_request:.2f} and {other.a_request:.2f} ms; {os.cpu_count()} processors"


def _first(found: Loaded) -> str:
    return f"{_median(found.first):.2f} and {_median(found.usual_first):.2f} s; {len(found.first)} starts of each"


def _ratio(found: Loaded) -> float:
    return _median(found.first) / _median(found.usual_first)


def _median(of: Sequence[float]) -> float:
    return float(np.median(of))
