"""The signed heads: one line a group of records, kept outside the database, so that a log cut short is found out.

A line is canonical JSON of `Signed.as_json()`. A last line without its end is what a failing computer leaves of a head that was
never acknowledged: it is told apart from a broken one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from models.seal import canonical
from serving.receipts.record import BrokenReceipt, Signed

HEADS = "heads.jsonl"
_FIELDS = {"digest": str, "sequence": int, "signature": str, "store": str, "time": str}
_TAIL = 2**16  # bytes in which the last line is looked for


def head_line(signed: Signed) -> bytes:
    """The line of a head."""
    return canonical(signed.as_json()) + b"\n"


def read_head(line: bytes, called: str) -> Signed:
    """The head of a whole line; BrokenReceipt where it is not as this program writes it."""
    try:
        document: Any = json.loads(line)
    except (ValueError, RecursionError):  # what bytes that are no JSON, or JSON of another kind, raise
        document = None
    fits = isinstance(document, dict) and {name: type(value) for name, value in document.items()} == _FIELDS
    if not fits or canonical(document) + b"\n" != line:
        raise BrokenReceipt(f"{called} is not as this program writes it: damaged, or altered by hand")
    return Signed(**document)


def read_heads(path: Path) -> list[Signed]:
    """Every whole head of the file, in order; BrokenReceipt names the first line that is not as it was written."""
    *lines, _ = path.read_bytes().split(b"\n")
    return [read_head(line + b"\n", f"{path}: line {place}") for place, line in enumerate(lines, 1)]


def last_head(path: Path) -> tuple[Signed | None, int]:
    """The last whole head (None before the first), and where it ends: what stands after that was never acknowledged."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - _TAIL, 0))
        tail = file.read()
    whole, end, unfinished = tail.rpartition(b"\n")
    if not end:
        if size > _TAIL:
            raise BrokenReceipt(f"{path}: the last line is not as this program writes it")
        return None, 0
    line = whole.rpartition(b"\n")[2] + b"\n"
    return read_head(line, f"{path}: the last line"), size - len(unfinished)


class HeadFile:
    """The head file, open for its one writer; nothing is written to another file than the one that was opened."""

    def __init__(self, path: Path, end: int):
        self.path, self._end = path, end
        self._file = os.open(path, os.O_WRONLY)
        os.ftruncate(self._file, end)  # a half line that nobody was told of

    def fault(self) -> str:
        """Why the file is not the one that was written last; nothing where it is."""
        try:
            there, ours = os.stat(self.path), os.fstat(self._file)
        except OSError as error:
            return f"the head file cannot be reached ({error.strerror})"
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            return "the head file was exchanged"
        return "" if there.st_size == self._end else "the head file was cut or written to by somebody else"

    def take_up(self, end: int) -> HeadFile:
        """The file that lies there now, up to `end`, in the place of this one."""
        taken_up = HeadFile(self.path, end)
        self.close()
        return taken_up

    def append(self, line: bytes) -> None:
        """Add a line, on the disk before it returns; OSError, and nothing added, where that cannot be."""
        try:
            written = os.pwrite(self._file, line, self._end)
            if written != len(line):
                raise OSError(f"{self.path}: the disk took only a part of a head")
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end += len(line)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)
