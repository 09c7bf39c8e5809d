"""What a power cut leaves of a folder: what was synced for certain, and of what was not, anything.

A file that is written reaches the disk when it is synced; a name, when its folder is. Until then each write may be there or not,
whichever came first (POSIX fsync, 2018; Pillai et al., OSDI 2014, have what file systems make of it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from system_calls import Call

Left = Callable[[], bool]  # whether one more of what was not synced reached the disk
NOTHING: Left = lambda: False  # noqa: E731  # a name for the reader
ALL: Left = lambda: True  # noqa: E731


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, int, bytes | None]] = field(default_factory=list)  # when, where, what (None: cut there)
    size: int = 0

    def take(self, when: int, at: int, data: bytes | None) -> None:
        self.waiting.append((when, at, data))
        self.size = at if data is None else max(self.size, at + len(data))

    def sync(self, began: int) -> None:
        for _, at, data in (one for one in self.waiting if one[0] < began):
            _put(self.synced, at, data)
        self.waiting = [one for one in self.waiting if one[0] >= began]

    def left(self, reached: Left) -> bytes:
        found = bytearray(self.synced)
        for _, at, data in self.waiting:
            if reached():
                _put(found, at, data)
        return bytes(found)


class Disk:
    """The files below `root`, from the calls that made them; folders whose names end in `aside` are not looked at."""

    def __init__(self, root: Path, aside: Sequence[str] = ("models", "receipts.db-shm", "lock", "said", "trace")):
        self._root, self._aside = str(root), frozenset(aside)
        self._files: dict[str, _File] = {}
        self._names: dict[str, _File] = {self._root: _File()}  # as they stand on the disk
        self._waiting: list[tuple[int, str, _File | None]] = []  # names not synced yet: when, path, what lies there now

    def see(self, call: Call) -> None:
        """Take in one call, in the order in which they ended."""
        paths = [one for one in [call.at, *(text.decode(errors="replace") for text in call.texts[:2])] if self._ours(one)]
        if not paths:
            return
        if call.name in ("write", "pwrite64", "ftruncate"):
            self._written(call)
        elif call.name in ("fsync", "fdatasync"):
            self._synced(call)
        elif call.name.startswith("rename"):
            self._name(call.ended, paths[-1], self._files.pop(paths[-2]))
            self._name(call.ended, paths[-2], None)
        elif call.name.startswith("link"):
            self._name(call.ended, paths[-1], self._files[paths[-2]])
        elif call.name.startswith("unlink"):
            self._files.pop(paths[-1], None)
            self._name(call.ended, paths[-1], None)
        elif call.name == "mkdir" or "O_CREAT" in call.flags:
            if paths[-1] not in self._files:
                self._name(call.ended, paths[-1], _File())
            elif "O_TRUNC" in call.flags:
                self._files[paths[-1]].take(call.ended, 0, None)

    def left(self, reached: Left) -> Iterator[tuple[PurePath, bytes]]:
        """Path below the root and content of each file that a power cut leaves now."""
        names = dict(self._names)
        for _, path, file in self._waiting:
            if reached():
                names.pop(path, None)
                if file is not None:
                    names[path] = file
        folders = {str(PurePath(path).parent) for path in names}
        for path, file in names.items():
            if path not in folders and path != self._root and all(str(one) in names for one in self._above(path)):
                yield PurePath(path).relative_to(self._root), file.left(reached)

    def _above(self, path: str) -> Iterator[PurePath]:
        yield from (one for one in PurePath(path).parents if self._ours(str(one)) or str(one) == self._root)

    def _ours(self, path: str) -> bool:
        if not path.startswith(self._root):
            return False
        return not self._aside.intersection(PurePath(path).relative_to(self._root).parts)

    def _written(self, call: Call) -> None:
        file = self._files.get(call.at)
        if file is None:
            return  # it has no name any more
        if call.name == "ftruncate":
            file.take(call.ended, call.numbers[-1], None)
        else:
            at = call.numbers[-1] if call.name == "pwrite64" else file.size
            file.take(call.ended, at, call.texts[-1][: call.result])

    def _synced(self, call: Call) -> None:
        if call.at in self._files:
            self._files[call.at].sync(call.began)
        kept = []
        for when, path, file in self._waiting:
            if when < call.began and str(PurePath(path).parent) == call.at:
                self._names.pop(path, None)
                if file is not None:
                    self._names[path] = file
            else:
                kept.append((when, path, file))
        self._waiting = kept

    def _name(self, when: int, path: str, file: _File | None) -> None:
        if file is not None:
            self._files[path] = file
        self._waiting.append((when, path, file))


def _put(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
        content.extend(bytes(max(at - len(content), 0)))
        return
    content.extend(bytes(max(at - len(content), 0)))
    content[at : at + len(data)] = data


def write(folder: Path, left: Iterator[tuple[PurePath, bytes]]) -> None:
    """The files that were left, in a folder of their own."""
    for path, content in left:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
