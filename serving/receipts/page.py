"""Receipts on paper: one a page for a few of them, one a row for many; a file without scripts, which fetches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from models.example import EXAMPLE
from serving.receipts.finding import Receipt
from serving.receipts.telling import DOES_NOT_HOLD, Section, in_a_row, is_example, sections
from serving.receipts.text import right_aligned
from serving.standing import DISCLAIMER

STYLE = Path(__file__).parents[1] / "pages" / "static" / "receipt.css"
FEW = 20  # receipts that get a page each
_HEADER = ("number", "written (UTC)", "model", "site", "within", "risk", "warnings")


def page(
    title: str,
    opening: Sequence[str],
    articles: Iterable[Sequence[Section]],
    example: bool,
    style: str = "",
    icon: str = "",
) -> str:
    """An HTML page; every text in it is escaped. An article begins on a sheet of its own.

    The style stands in the page, so that one file is whole; where `style` is the URL of it, the page names that instead, and
    that of its icon.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["right_aligned"] = right_aligned
    return environment.get_template("page.html").render(
        title=title,
        opening=opening,
        articles=list(articles),
        example=EXAMPLE if example else "",
        disclaimer=DISCLAIMER,
        bad=DOES_NOT_HOLD,
        style=style,
        icon=icon,
        css=STYLE.read_text(encoding="utf-8"),
    )


def of_receipts(receipts: Iterable[Receipt]) -> str:
    """A sheet each for a few receipts, one table for many."""
    waiting = iter(receipts)
    few = list(islice(waiting, FEW + 1))
    if len(few) <= FEW:
        return page("Receipts", (), [sections(one) for one in few], any(map(is_example, few)))
    rows, example = [_HEADER], False
    for one in chain(few, waiting):
        rows.append((str(one.record.sequence), one.record.time[:19].replace("T", " "), *_told(one)))
        example |= is_example(one)
    return page("Receipts", (), [[Section(f"{len(rows) - 1:,} receipts", table=tuple(rows))]], example)


def _told(one: Receipt) -> tuple[str, str, str, str, str]:
    return (one.why, "", "", "", "") if one.document is None else in_a_row(one.document)
