"""What may break beneath a service: disks that are full or refuse, files that are gone, exchanged or cut, clocks set back.

Each lasts for as long as it is open. All of them bind root, too, for whom file modes do not count: a limit on the size of files
(RLIMIT_FSIZE; at 0 nothing can be written any more), the immutable flag of a file, a volume of its own, names taken away.
"""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import sqlite3
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from child import Child

_GET_FLAGS, _SET_FLAGS, _IMMUTABLE = 0x80086601, 0x40086602, 0x10  # linux/fs.h
_NAMES = ("receipts.db", "receipts.db-wal", "heads.jsonl")
VOLUME = "volume"  # a folder beside the receipts, on a volume of its own where one can be mounted
HALF_HEADS = """
import errno, os, pathlib, types, serving.receipts.heads as heads
def half(file, data, at):
    if not pathlib.Path({flag!r}).exists():
        return os.pwrite(file, data, at)
    os.pwrite(file, data[: len(data) // 2], at)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
heads.os = types.SimpleNamespace(**{{**vars(os), "pwrite": half}})
"""
SHIFTED_CLOCK = """
import datetime, pathlib, types, serving.receipts.group as group
class Shifted(datetime.datetime):
    @classmethod
    def now(cls, zone=None):
        return super().now(zone) - datetime.timedelta(hours=pathlib.Path({flag!r}).exists())
group.datetime = types.SimpleNamespace(**{{**vars(datetime), "datetime": Shifted}})
"""


class NotHere(Exception):
    """This cannot be broken here, for want of a permission."""


@contextmanager
def flagged(child: Child) -> Iterator[None]:
    """What was put into the process to break breaks."""
    flag = child.folder / "flag"
    flag.touch()
    yield
    flag.unlink()


_A_GROUP = 128 * 1024  # bytes of the log, more than one of a few clients takes


@contextmanager
def limited(child: Child, size: int | None = None) -> Iterator[None]:
    """No file of the process can grow beyond the size that the log of the database had a group of receipts ago.

    What a group that fails has written of the log is room for a smaller one: with the size of now, one or two still fit.
    """
    largest = max((child.receipts / "receipts.db-wal").stat().st_size - _A_GROUP, 0) if size is None else size
    before = resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (largest, before[1]))
    yield
    resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def nothing_written(child: Child) -> Iterator[None]:
    """The process can write to no file at all."""
    with limited(child, 0):
        yield


@contextmanager
def immutable(child: Child) -> Iterator[None]:
    """The database, its log and the heads cannot be changed, by whoever has them open neither."""
    files = [child.receipts / name for name in _NAMES]
    try:
        _flag(files, on=True)
        yield
    finally:
        _flag(files, on=False)


def _flag(files: list[Path], on: bool) -> None:
    for path in files:
        file = os.open(path, os.O_RDONLY)
        try:
            (flags,) = struct.unpack("l", fcntl.ioctl(file, _GET_FLAGS, bytes(8)))
            fcntl.ioctl(file, _SET_FLAGS, struct.pack("l", flags | _IMMUTABLE if on else flags & ~_IMMUTABLE))
        except OSError as error:
            raise NotHere(f"the immutable flag cannot be set: {error.strerror}") from error
        finally:
            os.close(file)


@contextmanager
def mounted(folder: Path, at: str, size: str = "24m") -> Iterator[None]:
    """A small volume in the folder, in which nothing else lies."""
    place = folder / at
    place.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(f"no volume can be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@contextmanager
def full(place: Path) -> Iterator[None]:
    """The volume has no byte left."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            for size in (2**16, 1):
                while shutil.disk_usage(place).free >= size:
                    file.write(bytes(size))
        except OSError:
            pass  # full
    yield
    filler.unlink()


@contextmanager
def locked(child: Child) -> Iterator[None]:
    """Somebody else holds the lock of writing."""
    other = sqlite3.connect(child.receipts / "receipts.db", isolation_level=None, timeout=10)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def renamed(path: Path) -> Iterator[None]:
    """What lay there lies elsewhere."""
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    yield
    aside.rename(path)


@contextmanager
def removed(path: Path) -> Iterator[None]:
    """The file is gone for good."""
    path.unlink()
    yield


@contextmanager
def cut(path: Path) -> Iterator[None]:
    """The last lines of the file are gone; what was cut off is put back where it was."""
    whole = path.read_bytes()
    os.truncate(path, len(whole) // 2)
    yield
    path.write_bytes(whole)


@contextmanager
def older(child: Child, by_rename: bool) -> Iterator[None]:
    """A copy of the database as it was at first lies in its place, put there as another file or into the same."""
    path, aside = child.receipts / "receipts.db", child.folder / "aside.db"
    if by_rename:
        path.rename(aside)
        shutil.copyfile(child.folder / "older.db", path)
        yield
        aside.replace(path)
        return
    shutil.copyfile(path, aside)
    shutil.copyfile(child.folder / "older.db", path)
    yield
    shutil.copyfile(aside, path)


def keep_older(child: Child) -> None:
    """A copy of the database without its log, as whoever knows no better makes it."""
    shutil.copyfile(child.receipts / "receipts.db", child.folder / "older.db")
