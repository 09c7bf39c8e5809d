"""Sections as plain text, for a terminal and for paper without a browser."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from serving.receipts.telling import Row, Section

_WIDTH = 110  # columns of a sentence
_GAP = "  "
_NUMBER = re.compile(r"[<>+-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?( (%|days)( to [\d.]+ %)?)?")


def as_text(sections: Sequence[Section]) -> str:
    """Titles, sentences and tables below one another."""
    return "\n".join(line for section in sections for line in _lines(section))


def _lines(section: Section) -> Iterator[str]:
    yield section.title
    yield "-" * len(section.title)
    for line in section.lines:
        yield from textwrap.wrap(line, _WIDTH, subsequent_indent="  ") or [""]
    yield from _table(section.table)
    yield ""


def _table(rows: Sequence[Row]) -> Iterator[str]:
    shown = [row for row in rows if any(row)]  # a table of two columns has no names for them
    if not shown:
        return
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        aligned = zip(row, widths, right_aligned(rows[1:]), strict=True)
        cells = (one.rjust(width) if right else one.ljust(width) for one, width, right in aligned)
        yield _GAP.join(cells).rstrip()


def right_aligned(rows: Sequence[Row]) -> list[bool]:
    """Which columns of a table are numbers, with their units: all cells that are not empty, and at least one is not."""
    columns = [list(filter(None, column)) for column in zip(*rows, strict=True)]
    return [bool(column) and all(map(_NUMBER.fullmatch, column)) for column in columns]
