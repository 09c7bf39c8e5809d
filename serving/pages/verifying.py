"""A verification that somebody started from a page: it runs beside the service, one at a time, and what it found is kept.

    receipts/verified.json     what the last one found, who had it done and when; sealed
    receipts/verified.mark     where it ended, so that the next may go on from there; sealed
    receipts/verifying.json    how far the one that is under way has come
    receipts/verifying.lock    held while one is

The mark lies with the receipts: whoever puts all of it back to an older copy puts back the mark as well. An auditor from outside
keeps one elsewhere (`lymphorisk audit verify --mark`).
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from typing import Any

from models.durable import PRIVATE, Busy, locked, replace
from models.seal import sealed, unsealed
from serving.logs import tell
from serving.receipts.archive import Archive
from serving.receipts.mark import InvalidMark, Mark, read_mark, write_mark
from serving.receipts.record import NoReceipt
from serving.receipts.verify import Verified, verify

VERIFIED, MARK, UNDER_WAY, LOCK = "verified.json", "verified.mark", "verifying.json", "verifying.lock"
_PURPOSE = "result of a verification"
Done = Callable[[Verified], object]


@dataclass(frozen=True)
class Verifying:
    """Verifications of one archive: several processes of one computer may begin one, and one at a time is under way."""

    archive: Archive
    _started: list[threading.Thread] = field(default_factory=list, repr=False)

    def start(self, by: str, whole: bool, done: Done) -> bool:
        """Begin one in a thread; False where one is under way. `done` hears what was found before anybody is shown it.

        Without `whole` it goes on from where the last one that found nothing wrong has ended.
        """
        answers: Queue[bool] = Queue()
        thread = threading.Thread(target=self._run, args=(by, whole, done, answers), name="verifying", daemon=True)
        thread.start()
        self._started[:] = [thread]
        return answers.get()

    def wait(self) -> None:
        """Until the one that was started here last has ended."""
        for thread in self._started:
            thread.join()

    def progress(self) -> Mapping[str, Any] | None:
        """Who had one begun that has not ended, when, how far it has come, and whether it goes on or was broken off."""
        try:
            found: dict[str, Any] = json.loads(self._file(UNDER_WAY).read_bytes())
        except FileNotFoundError:
            return None
        return found | {"goes_on": self._locked()}

    def last(self) -> Mapping[str, Any] | None:
        """What the last one found; None where there was none. BrokenSeal where somebody altered it."""
        path = self._file(VERIFIED)
        return unsealed(_PURPOSE, path.read_bytes(), self.archive.keys.sealing) if path.exists() else None

    def _file(self, name: str) -> Path:
        return self.archive.folder / name

    def _locked(self) -> bool:
        try:
            with locked(self._file(LOCK), wait=False):
                return False
        except Busy:
            return True

    def _run(self, by: str, whole: bool, done: Done, answers: Queue[bool]) -> None:
        try:
            with locked(self._file(LOCK), wait=False):
                self._tell(by, _now(), 0, 0)
                answers.put(True)
                self._verify(by, whole, done)
        except Busy:
            answers.put(False)
        except (NoReceipt, OSError) as error:  # nobody waits here: the page says that it was broken off
            answers.put(True)
            tell(logging.ERROR, "a verification was broken off", kind=type(error).__name__)

    def _verify(self, by: str, whole: bool, done: Done) -> None:
        start, (since, doubts) = _now(), (None, ()) if whole else self._mark()
        told = [start]

        def advance(walked: int, total: int) -> None:
            if _now() != told[0]:  # once a second
                told[0] = _now()
                self._tell(by, start, walked, total)

        found = verify(self.archive.store, self.archive.keys, since=since, advance=advance)
        found = replaced(found, warnings=(*found.warnings, *doubts))
        done(found)
        result = found.as_json() | {"by": by, "began": start, "ended": _now()}
        replace(self._file(VERIFIED), sealed(_PURPOSE, result, self.archive.keys.sealing), PRIVATE)
        if found.holds and found.mark.sequence:
            write_mark(self._file(MARK), found.mark, self.archive.keys.sealing)
        self._file(UNDER_WAY).unlink()

    def _mark(self) -> tuple[Mark | None, tuple[str, ...]]:
        """Where to go on, or what is wrong with the mark that says so."""
        try:
            return read_mark(self._file(MARK), self.archive.store.id, self.archive.keys.sealing), ()
        except FileNotFoundError:
            return None, ()
        except InvalidMark as error:
            return None, (str(error),)

    def _tell(self, by: str, began: str, walked: int, total: int) -> None:
        replace(self._file(UNDER_WAY), json.dumps({"by": by, "began": began, "done": walked, "total": total}).encode(), PRIVATE)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
