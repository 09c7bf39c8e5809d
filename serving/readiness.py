"""Whether a score would be answered now, and every reason why not, in words for whoever runs the service.

Receipts can be written, the model on the disk is still the one that was verified, the clock is not behind what it wrote itself,
and the witness is not late. That the process lives says nothing of it.
"""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from models.artifact import InvalidArtifact, verify
from serving.current import Current
from serving.receipts.record import Signed

Check = Callable[[], str]  # the reason why not; nothing where all is well
BUILT = 2026  # the year of this program: a clock that shows an earlier one is wrong
SLACK = datetime.timedelta(seconds=2)  # clocks are put right all the time


class Readiness:
    """Asks all checks in a thread of its own: whoever asks meanwhile gets the same answer, so that nobody can make it busy."""

    def __init__(self, checks: Iterable[Check]):
        self._checks = tuple(checks)
        self._thread = ThreadPoolExecutor(1, "readiness")
        self._asked: asyncio.Future[list[str]] | None = None

    async def reasons(self) -> list[str]:
        """Every reason why the service is not ready; none where it is."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().run_in_executor(self._thread, self._reasons)
        return await asyncio.shield(self._asked)

    def _reasons(self) -> list[str]:
        return [reason for check in self._checks if (reason := check())]


def following(current: Current) -> Check:
    """Whether the model that the releases name answers."""
    return lambda: current.fault.partition(":")[0]  # without the names of folders that come after


def clock(head: Callable[[], Signed | None]) -> Check:
    """Whether the clock can be right: not before this program was written, nor before the last head."""

    def reason() -> str:
        now, last = datetime.datetime.now(datetime.UTC), head()
        if now.year < BUILT:
            return f"the clock shows the year {now.year}: this program is of {BUILT}"
        if last is not None and now + SLACK < datetime.datetime.fromisoformat(last.time):
            return "the clock is behind the last receipt: it was set back, or was wrong before"
        return ""

    return reason


class OnDisk:
    """Whether the files of the model that answers are on the disk as they were verified; read again only where they changed."""

    def __init__(self, kept: Path, current: Current):
        """`kept` holds a folder for each digest (serving.receipts.models_kept)."""
        self._kept, self._current = kept, current
        self._seen: object = None

    def __call__(self) -> str:
        digest = self._current.artifact.digest
        try:
            seen = digest, _stamps(self._kept / digest)
            if seen != self._seen:
                verify(self._kept / digest, digest)
        except (OSError, InvalidArtifact):
            return "the model that answers is no longer on the disk as it was verified"
        self._seen = seen
        return ""


def _stamps(folder: Path) -> list[tuple[str, int, int, int]]:
    found = sorted(os.scandir(folder), key=lambda file: file.name)
    return [(file.name, (told := file.stat()).st_size, told.st_mtime_ns, told.st_ino) for file in found]
