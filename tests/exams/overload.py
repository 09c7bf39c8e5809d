"""Four times what it can do: who finds no room is told so at once, the others are answered as ever, and it says that it lives."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from child import Child
from marks import Mark
from pressing import Pressed, Watched, press, watch

STEADY, MANY = 64, 256  # connections
TIMES = 4
SECONDS = 20.0
AS_AGREED = (200, 429, 503)


@dataclass(frozen=True)
class Overloaded:
    """What came of it."""

    steady: Pressed
    over: Pressed  # at four times the pace of the steady load
    rushed: Pressed  # as fast as the clients could
    alive: Watched
    steady_processor: float  # seconds of the service's processor
    rushed_processor: float

    @property
    def share(self) -> float:
        """Of the scores per second of the steady load."""
        return self.over.goodput / self.steady.goodput

    @property
    def refusal(self) -> float:
        """What a refusal costs, as a share of what a score does."""
        score = self.steady_processor / self.steady.statuses[200]
        return (self.rushed_processor - score * self.rushed.statuses[200]) / max(self.rushed.statuses[503], 1) / score

    @property
    def strange(self) -> int:
        """Answers that were neither scores nor the word to come again."""
        return sum(times for one in (self.over, self.rushed) for status, times in one.statuses.items() if status not in AS_AGREED)


def overload(child: Child, seconds: float) -> Overloaded:
    """Load it as ever, then four times as much, then as much as can be."""
    press(child.port, STEADY, min(seconds, 2.0))  # caches are filled, keys derived
    steady, steady_processor = _processor(child, lambda: press(child.port, STEADY, seconds))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as beside:
        beside.submit(os.getpid).result()  # has begun
        alive = beside.submit(watch, child.port, 2 * seconds)
        over = press(child.port, MANY, seconds, TIMES * steady.goodput)
        rushed, rushed_processor = _processor(child, lambda: press(child.port, MANY, seconds))
        return Overloaded(steady, over, rushed, alive.result(), steady_processor, rushed_processor)


def _processor(child: Child, action: Callable[[], Pressed]) -> tuple[Pressed, float]:
    before = _seconds(child.process.pid)
    return action(), _seconds(child.process.pid) - before


def _seconds(process: int) -> float:
    """Of the processor that it has used (proc(5): utime and stime, the 14th and 15th word)."""
    words = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def sit(folder: Path, advance: Callable[..., object], seconds: float = SECONDS) -> list[Mark]:
    """The bars of the issue."""
    with Child(folder) as child:
        advance("overload", 0, 1)
        found = overload(child, seconds)
        again = child.back()
        advance("overload", 1, 1)
    over, alive = found.over, found.alive
    note = f"{over.asked:,} asked: {', '.join(f'{status} x {times:,}' for status, times in sorted(over.statuses.items()))}"
    return [
        Mark("steady scores per second, 64 connections", found.steady.goodput),
        Mark("offered, times the steady load", over.asked / over.lasted / found.steady.goodput, least=3.5, note=note),
        Mark("answers other than 200, 429 or 503", found.strange, most=0),
        Mark("refusals that do not say when to come again", over.unexplained + found.rushed.unexplained, most=0),
        Mark("scores per second, of the steady load's", found.share, least=0.6),
        Mark("p99 of a score, of the steady load's", over.percentile(0.99) / found.steady.percentile(0.99)),
        Mark("the same, where 256 ask as fast as they can", found.rushed.goodput / found.steady.goodput),
        Mark("what a refusal costs, of a score", found.refusal, most=0.1),
        Mark("/livez, longest, s", max(alive.seconds), most=0.2, note=f"asked {len(alive.seconds)} times"),
        Mark("whoever asked for it, woken too late, s", alive.overslept, note="by the computer"),
        Mark("/livez, other than 200", alive.failed, most=0),
        Mark("until it scored again, s", again),
    ]
