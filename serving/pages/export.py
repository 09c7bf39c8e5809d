"""Receipts taken away through a browser: those of a period, readable or as a table; or all of them, sealed, for somebody outside.

A file is made first and counted, the note of it recorded, and only then it is sent; it has no name on the disk while it is.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from serving.access.door import route
from serving.pages.finding import Search, Unclear
from serving.pages.layout import HEADERS, rendered
from serving.pages.reader import Reader
from serving.pages.words import say
from serving.receipts.archive import Archive
from serving.receipts.export import write_lines, write_table
from serving.receipts.finding import Receipt
from serving.receipts.record import NoReceipt
from serving.receipts.sealed import export_sealed

PATH = "/audit/export"
MOST = 5_000  # receipts decrypted for one request: a few seconds; more are written by `lymphorisk audit export`
MOST_SEALED = 50_000  # sealed records, which nobody decrypts
SEALED = "sealed"
_MEDIA = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    SEALED: "application/zip",
}
_PIECE = 1 << 16  # bytes sent at a time


class TooMany(Exception):
    """More receipts than one request may take away (`most`)."""

    def __init__(self, most: int):
        super().__init__(f"more than {most}")
        self.most = most


@dataclass(frozen=True)
class Export:
    """A file made for whoever asked: open, with no name any more, and how many records it holds."""

    file: IO[bytes]
    size: int
    records: int

    def pieces(self) -> Iterator[bytes]:
        """The file from its beginning, closed at the end."""
        with self.file:
            while piece := self.file.read(_PIECE):
                yield piece


def routes(reader: Reader) -> list[Route]:
    """What may be taken away, and taking it."""
    pages = ExportPages(reader)
    return [route("GET", PATH, pages.ask), route("POST", PATH, pages.take)]


@dataclass(frozen=True)
class ExportPages:
    """The form, and the file that it asks for; one file is made at a time, and whoever reads receipts does not wait for it."""

    reader: Reader
    _making: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "export"), repr=False)

    async def ask(self, request: Request) -> Response:
        """What can be exported."""
        return self._form(request)

    async def take(self, request: Request) -> Response:
        """The file; noted, with how many records it holds, before the first byte of it leaves."""
        given = await self.reader.posted(request)
        form = given.get("format", "")
        try:
            search = Search.of(given)
        except Unclear as error:
            return self._form(request, 400, say("find", str(error)))
        if form not in formats():
            return self._form(request, 400, say("export", "bad_format"))
        try:
            made = await self.reader.read(partial(made_of, self.reader.archive, form, search.since, search.until), self._making)
        except TooMany as error:
            return self._form(request, 413, say("export", "too_many", most=f"{error.most:,}"))
        try:
            await self.reader.note(request, "exported", **_told(search, form), records=made.records)
        except NoReceipt:
            made.file.close()
            raise
        named = {"Content-Disposition": f'attachment; filename="{_name(form)}"', "Content-Length": str(made.size)}
        return StreamingResponse(made.pieces(), headers=HEADERS | named, media_type=_MEDIA[form])

    def _form(self, request: Request, status: int = 200, fault: str = "") -> Response:
        return rendered(request, "export.html", status, formats=list(formats()), fault=fault, most=MOST, sealed=MOST_SEALED)


def formats() -> Mapping[str, str]:
    """What can be written here: Parquet needs pyarrow, which a service may do without."""
    return {name: media for name, media in _MEDIA.items() if name != "parquet" or find_spec("pyarrow") is not None}


def made_of(archive: Archive, form: str, since: date | None, until: date | None) -> Export:
    """The export, written beside the receipts and opened; TooMany where a readable one would be too large for a request.

    Nothing of it is left on the disk, whatever happens, but by a kill.
    """
    with tempfile.TemporaryDirectory(dir=archive.folder, prefix=".export") as aside:
        path, records = _written(archive, form, Path(aside), since, until)
        file = path.open("rb")
        return Export(file, path.stat().st_size, records)


def _written(archive: Archive, form: str, aside: Path, since: date | None, until: date | None) -> tuple[Path, int]:
    if form == SEALED:
        return _sealed(archive, aside)
    out, counted = aside / f"receipts.{form}", Counted(archive.scores(since, until))
    write: Callable[[Iterator[Receipt], Path], None] = write_lines if form == "jsonl" else write_table
    write(iter(counted), out)
    return out, counted.passed


def _sealed(archive: Archive, aside: Path) -> tuple[Path, int]:
    """All sealed records in one file; encrypted as they are, they would hardly get smaller."""
    last = archive.store.last()
    if last and last.sequence > MOST_SEALED:
        raise TooMany(MOST_SEALED)
    records = export_sealed(archive.store, folder := aside / "sealed")
    with zipfile.ZipFile(out := aside / "sealed.zip", "w", zipfile.ZIP_STORED) as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, f"sealed/{path.name}")
    return out, records


@dataclass
class Counted:
    """Receipts on their way through, counted; TooMany beyond MOST."""

    receipts: Iterator[Receipt]
    passed: int = 0

    def __iter__(self) -> Iterator[Receipt]:
        for one in self.receipts:
            self.passed += 1
            if self.passed > MOST:
                raise TooMany(MOST)
            yield one


def _told(search: Search, form: str) -> dict[str, object]:
    """For the note: sealed records are always all of them."""
    days = {} if form == SEALED else {name: value for name, value in search.as_note().items() if name in ("since", "until")}
    return days | {"format": form}


def _name(form: str) -> str:
    today = datetime.now(UTC).date().isoformat()
    return f"sealed-{today}.zip" if form == SEALED else f"receipts-{today}.{form}"
