"""What was written stays written: on the disk before anybody is told so, whole or not at all, one writer at a time."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600  # for its owner alone


class Busy(BlockingIOError):
    """Somebody else is at work where only one may be."""


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file `path` alone; it is given back even by a process that is killed. Busy where one should not wait."""
    import fcntl  # not on every system: whoever only reads does not need it

    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise Busy(f"{path}: somebody else is at work here; try again when they are done") from error
        yield
    finally:
        os.close(file)


def append(path: Path, content: bytes) -> None:
    """Add `content` to the end of the file, on the disk before it returns."""
    new = not path.exists()
    with path.open("ab", buffering=0) as file:
        if file.write(content) != len(content):
            raise OSError(f"{path}: the disk took only a part of what was written")
        os.fsync(file.fileno())
    if new:
        sync(path.parent)


def replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    """The file holds `content` and nothing else, all of it on the disk before it returns; nobody ever sees a half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    sync(path.parent)


def create(path: Path, content: bytes, mode: int = 0o644) -> bool:
    """The file holds `content`, whole and on the disk, unless somebody made one before; whether it was made here."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        replace(aside, content, mode)
        os.link(aside, path)  # unlike a renaming, this fails where there is a file
    except FileExistsError:
        return False
    finally:
        aside.unlink(missing_ok=True)
    sync(path.parent)
    return True


def make_folder(path: Path, mode: int = 0o755) -> None:
    """The folder is there, and on the disk are its name and those of the folders above that had to be made for it."""
    made = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    for one in made:
        sync(one.parent)


def sync(path: Path) -> None:
    """A file, or the names in a folder, are on the disk: a file that was synced can still lose its name with the power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
