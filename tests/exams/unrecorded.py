"""The service of a model whose scores are recorded nowhere, nor written down to be: what receipts cost is measured against it.

Run as `python unrecorded.py MODEL PORT`; nothing else uses it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from models.artifact import load
from serving import recorded
from serving.access.desk import Desk
from serving.app import create_app
from serving.http_server import listening, serve
from serving.receipts.record import SCORE, Draft, Signed

_NOTHING = Draft(SCORE, "", b"")


class Nowhere:
    """Says at once that everything is recorded; the statement is signed by nobody."""

    public_key = "0" * 64

    def submit(self, drafts: Sequence[Draft]) -> Future[list[Signed]]:
        found: Future[list[Signed]] = Future()
        found.set_result(self.record(drafts))
        return found

    def record(self, drafts: Sequence[Draft]) -> list[Signed]:
        return [Signed("0" * 32, 0, "0" * 64, "2026-11-23T00:00:00.000000Z", "0" * 128) for _ in drafts]

    def ready(self) -> str:
        return ""


if __name__ == "__main__":
    recorded.draft_of = lambda *_: _NOTHING
    at = listening("127.0.0.1", int(sys.argv[2]))
    serve(create_app(load(Path(sys.argv[1])), Nowhere(), access=Desk()), at)
