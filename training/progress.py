"""How far a long task is, told to whoever waits: one progress bar a stage, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

NEWS = 1.0  # seconds after which news within a step is shown

Advance = Callable[[str, int, int], object]  # what is being done, steps done, steps in all


def unwatched(doing: str, done: int, total: int) -> None:
    """Nobody waits."""


class Steps:
    """Counts the steps of one stage for whoever watches."""

    def __init__(self, advance: Advance, doing: str, total: int):
        self.advance, self.doing, self.total, self.done = advance, doing, total, 0
        advance(doing, 0, total)

    def __call__(self, steps: int) -> None:
        self.done += steps
        self.advance(self.doing, self.done, self.total)


class Bars:
    """Called with what is being done, steps done and steps in all; a new stage closes the bar of the last."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.doing, self.told = "", 0.0

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def __call__(self, doing: str, done: int, total: int) -> None:
        stage = doing.partition(": ")[0]  # what follows is news of the same stage
        if self.bar is None or stage != self.doing:
            self.__exit__()
            self.bar, self.doing = tqdm(total=total, desc=doing, file=sys.stderr), stage
        self.bar.set_description_str(doing, refresh=False)
        self.bar.update(done - self.bar.n)
        if (now := time.monotonic()) >= self.told + NEWS:  # of steps that take long, where tqdm waits for the next
            self.told = now
            self.bar.refresh()
