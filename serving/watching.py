"""The champion may change while the service runs: the next one is verified, kept with the receipts and told there, then answers.

Pointer and ledger are looked at once a second; nothing is read where neither changed. What does not verify is no reason to stop:
the model that was verified goes on answering, and the service says that it is not ready for a new one.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.artifact import Artifact, InvalidArtifact
from models.calibration_at_site import calibration_at_site
from models.ledger import HEAD, LEDGER, read_ledger
from models.release import CHAMPION, resolve
from models.seal import BrokenSeal, Key
from serving.current import Current
from serving.logs import tell
from serving.receipts.record import NoReceipt

SECONDS = 1.0  # between two looks
PATIENCE = 5  # looks: while a promotion is under way, ledger and pointer differ for a moment
_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class Releases:
    """The folder of releases whose champion is served, with the key of its ledger, and the site that is told of."""

    root: Path
    key: Key = field(repr=False)
    site: str

    def champion(self) -> tuple[Artifact, Path]:
        """The verified champion and its folder. Raises BrokenSeal, InvalidArtifact or OSError where there is none to trust."""
        found = resolve(self.root, self.key)
        known = calibration_at_site(read_ledger(self.root, self.key), found.digest, self.site)
        return replace(found, at_site=known), self.root / found.digest

    def stamp(self) -> _Stamp:
        """What changes when anything is promoted, rolled back or checked at a site."""
        return tuple(_stamp(self.root / name) for name in (LEDGER, HEAD, CHAMPION))


class Watch:
    """Looks at the releases in a thread of its own; `Current.fault` says why what lies there now cannot be taken."""

    def __init__(self, releases: Releases, current: Current, keep: Callable[[Artifact, Path], None]):
        """`keep` keeps a new model with the receipts and records that it answers from now on; NoReceipt or OSError if not."""
        self._releases, self._current, self._keep = releases, current, keep
        self._seen: _Stamp = ()  # whatever was promoted between the loading of the model and now is seen at the first look
        self._failed = 0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="releases", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()

    def look(self) -> None:
        """Take the champion that is named now, if it is another one, or more is known of it, and it can be trusted."""
        stamp = self._releases.stamp()
        if stamp == self._seen:
            return
        try:
            self._take(*self._releases.champion())
        except (BrokenSeal, InvalidArtifact, NoReceipt, OSError) as error:
            self._not_taken(error)
        else:
            self._seen, self._failed, self._current.fault = stamp, 0, ""

    def _take(self, artifact: Artifact, folder: Path) -> None:
        before = self._current.artifact
        if artifact.digest != before.digest:
            self._keep(artifact, folder)
            tell(logging.INFO, "another model answers", model=artifact.digest, before=before.digest)
        self._current.take(artifact)

    def _not_taken(self, error: Exception) -> None:
        """Once it has lasted longer than a promotion takes, it is a fault."""
        self._failed += 1
        if self._failed == PATIENCE:
            self._current.fault = f"the releases name another model, and it cannot be trusted: {error}"
            tell(logging.ERROR, "the releases cannot be taken up", kind=type(error).__name__, model=self._current.artifact.digest)

    def _run(self) -> None:
        while not self._closed.wait(SECONDS):
            self.look()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
