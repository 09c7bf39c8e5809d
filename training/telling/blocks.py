"""What the card and the report are made of: headings, words, points, tables and pictures, written once and rendered twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title of the page."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Words:
    """A paragraph; `tone` is "", "warning" or "quiet"."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table with a caption, a head, and rows whose first cell says what the row is about."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A picture of the run by its name, with its caption and what it shows in words."""

    name: str
    caption: str
    alt: str


Block = Heading | Words | Points | Table | Picture


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[Block]:
    """The table; nothing where it would have no row."""
    filled = tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows)
    return [Table(caption, tuple(head), filled)] if filled else []


def points(opening: str, sentences: Iterable[str]) -> list[Block]:
    """The sentences under an opening; nothing where there are none."""
    said = tuple(sentences)
    return [Words(opening), Points(said)] if said else []


def missing(what: str, why: str) -> list[Block]:
    """The one sentence that stands where something is absent."""
    return [Words(f"{what}: not available: {why}.", "quiet")]


def number(value: float | None, digits: int = 3) -> str:
    """A number as a reader wants it, "-" where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def interval(cell: Mapping[str, Any] | None, digits: int = 3) -> str:
    """A value with its 95 % interval, or why there is none.

    >>> interval({"value": 0.75, "low": 0.7, "high": 0.8}), interval({"value": None, "why": "nobody died"})
    ('0.750 (0.700 to 0.800)', 'nobody died')
    """
    if cell is None or cell.get("value") is None:
        return "-" if cell is None else str(cell.get("why") or "-")
    if cell.get("low") is None or cell.get("high") is None:
        return number(cell["value"], digits)
    return f"{cell['value']:.{digits}f} ({cell['low']:.{digits}f} to {cell['high']:.{digits}f})"


def unit(code: str) -> str:
    """A unit as a reader knows it; nothing where a number has none."""
    return {"1": "", "{score}": "", "a": "years", "mo": "months", "d": "days"}.get(code, code)


def markdown(blocks: Iterable[Block]) -> str:
    """The blocks as Markdown; pictures stay out."""
    return "\n\n".join(text for block in blocks if (text := _markdown(block))) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Words(text, tone):
            return f"**{text}**" if tone == "warning" else text
        case Points(sentences):
            return "\n".join(f"- {sentence}" for sentence in sentences)
        case Table(caption, head, rows):
            lines = [head, ["---"] * len(head), *rows]
            body = "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)
            return f"{caption}:\n\n{body}" if caption else body
        case Picture():
            return ""


def _cell(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
