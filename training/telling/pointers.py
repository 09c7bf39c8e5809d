"""Where a number of the card stands: in which file of the artifact, and where in it.

A source is `FILE#POINTER` with a JSON pointer (RFC 6901), `evaluation.json#/evaluations/everybody/n`. A pattern names several
sources at once: `*` stands for every member, `[name=value]` for every member that has this value under that name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

Document = Mapping[str, Any]
Evidence = Mapping[str, Document]
"""The JSON documents of a run by file name."""


@dataclass(frozen=True)
class Found:
    """What a pattern found: the source, the value there, the members that `*` stood for, and the fields of those members."""

    source: str
    value: Any
    members: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)

    def labelled(self, label: str) -> str:
        """The label with `{0}` and `{name}` replaced by members and fields; a field that is not there leaves nothing."""
        return Formatter().vformat(label, self.members, defaultdict(str, self.fields))


def at(evidence: Evidence, source: str) -> Any:
    """The value at a source. Raises LookupError that says which file or which place is not there."""
    name, _, pointer = source.partition("#")
    if name not in evidence:
        raise LookupError(f"{source}: there is no {name}")
    value: Any = evidence[name]
    for step in pointer.split("/")[1:]:
        try:
            value = _member(value, step.replace("~1", "/").replace("~0", "~"))
        except (LookupError, ValueError):
            raise LookupError(f"{source}: {name} has nothing there") from None
    return value


def _member(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value[name]
    if isinstance(value, Sequence) and not isinstance(value, str) and name.isdecimal():
        return value[int(name)]
    raise LookupError(name)


def matching(evidence: Evidence, pattern: str) -> list[Found]:
    """Everything a pattern names, in the order of the documents; empty where nothing is there."""
    name, _, pointer = pattern.partition("#")
    if name not in evidence:
        return []
    found = [Found(f"{name}#", evidence[name])]
    for step in pointer.split("/")[1:]:
        found = [further for one in found for further in _further(one, step)]
    return found


def _further(one: Found, step: str) -> Iterator[Found]:
    wanted, _, value = step.strip("[]").partition("=") if step.startswith("[") else ("", "", "")
    for name, member in _members(one.value):
        if step == "*" or (wanted and isinstance(member, Mapping) and str(member.get(wanted)) == value):
            yield Found(_below(one.source, name), member, (*one.members, name), one.fields | _words(member))
        elif step.replace("~1", "/").replace("~0", "~") == name:
            yield Found(_below(one.source, name), member, one.members, one.fields)


def _words(member: Any) -> dict[str, Any]:
    """The fields of a member that can be put into a label."""
    named = member.items() if isinstance(member, Mapping) else ()
    return {name: value for name, value in named if isinstance(value, str | int | float)}


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from ((str(place), member) for place, member in enumerate(value))


def _below(source: str, name: str) -> str:
    return f"{source}/{name.replace('~', '~0').replace('/', '~1')}"
