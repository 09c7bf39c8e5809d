"""What a process asked of the disk and sent to the network, read from what `strace` wrote down, in the order of time.

A line is written when a call is over; where another thread comes between, one line when it begins and one when it ends. So the
lines tell of two calls which ended before which began.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_WATCHED = (
    "open openat creat write pwrite64 ftruncate fsync fdatasync "
    "rename renameat renameat2 link linkat unlink unlinkat mkdir sendto"
)
_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_HANDLE = re.compile(r"(?:\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?")
_NUMBERS = re.compile(r"[, ](\d+)(?=[,)]|$)")
_UNFINISHED = " <unfinished ...>"


@dataclass(frozen=True)
class Call:
    """A call that succeeded: the path of the file (or name of the socket) it was made on, the texts and numbers it was given."""

    name: str
    began: int  # number of the line
    ended: int
    at: str
    texts: Sequence[bytes]
    numbers: Sequence[int]
    flags: str
    result: int


def tracing(strace: str, trace: Path) -> list[str]:
    """The command before a command: it is traced, itself and its threads, into the file. Signals reach the traced process."""
    watched = f"trace={_WATCHED.replace(' ', ',')}"
    return [strace, "-D", "-f", "-y", "-xx", "-s", "9999999", "-e", watched, "-e", "signal=none", "-o", str(trace)]


def forbidden(strace: str) -> str:
    """Why nothing can be traced here; nothing where it can."""
    done = subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return f"tracing is not allowed here: {done.stderr.strip()}" if done.returncode else ""


def calls(trace: Path) -> Iterator[Call]:
    """The calls that succeeded, in the order in which they ended."""
    begun: dict[str, tuple[int, str]] = {}
    with trace.open(encoding="ascii") as lines:
        for number, line in enumerate(lines):
            if (found := _LINE.match(line.rstrip("\n"))) is None:
                continue  # a thread ended
            thread, name, rest = found.groups()
            if rest.endswith(_UNFINISHED):
                begun[thread] = number, rest.removesuffix(_UNFINISHED)
                continue
            began, before = begun.pop(thread, (number, ""))
            call = _call(name, began, number, before + rest)
            if call.result >= 0:
                yield call


def _call(name: str, began: int, ended: int, said: str) -> Call:
    given, _, result = said.rpartition(" = ")
    number = re.match(r"-?\d+", result)
    handle = _HANDLE.match(given)
    at = _plain(handle[1]).decode() + (handle[2] or "") if handle else ""
    bare = _TEXT.sub("", given[handle.end() :] if handle else given)
    texts = [_plain(one) for one in _TEXT.findall(given)]
    numbers = [int(one) for one in _NUMBERS.findall(bare)]
    return Call(name, began, ended, at, texts, numbers, bare, int(number[0]) if number else -1)


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
