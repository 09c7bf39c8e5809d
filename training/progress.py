"""One progress bar a stage, on standard error, for whoever waits."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


class Bars:
    """Called with what is being done, steps done and steps in all; a new stage closes the bar of the last."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.doing = ""

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def __call__(self, doing: str, done: int, total: int) -> None:
        if self.bar is None or doing != self.doing:
            self.__exit__()
            self.bar, self.doing = tqdm(total=total, desc=doing, file=sys.stderr), doing
        self.bar.update(done - self.bar.n)
