"""Every number on the page of attributions is one of the statistics', every word the command's, every bar as long as it says."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from models.identity import Role
from serving.pages.attributions_figures import MOST_BARS, bars
from serving.receipts.attributions.look import look
from serving.receipts.attributions.question import asked
from serving.receipts.attributions.resampling import Figure
from serving.receipts.attributions.telling import sections

from .conftest import House

PATH, CSV = "/audit/attributions", "/audit/attributions.csv"
SEPTEMBER = {"from": "2026-09-01", "to": "2026-09-30"}
OCTOBER = {"against_from": "2026-10-01", "against_to": "2026-10-31"}
Row = list[str]


@dataclass
class Read(HTMLParser):
    """What a page says: its words, its tables by heading, and the elements of its figures."""

    words: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    drawn: list[tuple[str, Mapping[str, str | None]]] = field(default_factory=list)
    _inside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        if tag in ("rect", "line", "text", "svg"):
            self.drawn.append((tag, dict(attrs)))
        if tag == "h2":
            self.headings.append("")
        if tag == "tr":
            self.tables.setdefault(self.headings[-1], []).append([])
        if tag in ("th", "td"):
            self.tables[self.headings[-1]][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if "h2" in self._inside:
            self.headings[-1] += words
        if "td" in self._inside or "th" in self._inside:
            row = self.tables[self.headings[-1]][-1]
            row[-1] = f"{row[-1]} {words}".strip()
        self.words.append(words)


def said(answer: httpx.Response) -> Read:
    found = Read()
    found.feed(answer.text)
    return found


def ask(house: House, given: Mapping[str, str], path: str = PATH) -> httpx.Response:
    return house.ask(Role.DATA_SCIENTIST, f"{path}?{httpx.QueryParams(given)}")


def numbers_of(house: House, given: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows of the table that the same question brings."""
    return list(csv.DictReader(io.StringIO(ask(house, given, CSV).text)))


@pytest.mark.parametrize("given", [SEPTEMBER | {"by": "line"}, SEPTEMBER | OCTOBER | {"by": "unit", "receipts": "all"}])
def test_every_word_and_every_cell_is_what_the_command_tells(many: House, given: dict[str, str]) -> None:
    page = said(ask(many, given))
    told = sections(look(many.archive, asked(given, datetime.now(UTC).date())))
    assert [one for one in page.headings if one] == [one.title for one in told]
    for one in told:
        assert [tuple(row) for row in page.tables.get(one.title, [])] == list(one.table)
        for line in one.lines:
            assert line in page.words


def agrees(shown: str, value: str, convert: Any = float) -> bool:
    """Whether a number on the page is this one of the table, rounded to the digits that are shown."""
    digits = re.sub(r"^times | %$|,", "", shown)
    if not value:
        return False
    wanted = convert(float(value))
    places = len(digits.partition(".")[2])
    return abs(float(digits) - wanted) <= 0.5001 * 10.0**-places or float(digits) == float(f"{wanted:.3g}")


def three(cell: str) -> list[str]:
    """A number and its interval."""
    found = re.fullmatch(r"(.+) \((.+) to (.+)\)", cell)
    assert found, cell
    return list(found.groups())


def a_hundred_times(value: float) -> float:
    return 100 * value


def as_it_is(value: float) -> float:
    return value


def require_three(cell: str, row: Mapping[str, str], convert: Any = as_it_is) -> None:
    for shown, name in zip(three(cell), ("value", "low", "high"), strict=True):
        assert agrees(shown, row[name], convert), (cell, row)


FIGURES = {  # a column of the table of groups, and the figure in the table of numbers
    "mean size of the change, points": ("mean absolute change", as_it_is),
    "mean change, points": ("mean change", as_it_is),
    "mean size of the term, log-odds": ("mean absolute term", as_it_is),
    "largest of all": ("largest of all", a_hundred_times),
    "not distinguishable from none": ("not distinguishable", a_hundred_times),
    "rests on estimates": ("rests on estimates", a_hundred_times),
    "mean size": ("mean absolute term", as_it_is),
    "mean": ("mean term", as_it_is),
    "estimated in": ("rests on estimates", a_hundred_times),
}


@pytest.mark.parametrize(("heading", "part"), [("By clinical group", "group"), ("By input, in log-odds", "input")])
def test_every_number_of_importance_is_one_of_the_statistics(many: House, heading: str, part: str) -> None:
    rows = [one for one in numbers_of(many, SEPTEMBER) if one["part"] == part]
    header, *shown = said(ask(many, SEPTEMBER)).tables[heading]
    checked = 0
    for label, *cells in shown:
        for column, cell in zip(header[1:], cells, strict=True):
            figure, convert = FIGURES[column]
            found = [one for one in rows if one["label"] == label and one["figure"] == figure]
            if cell == "fewer than 10":
                assert not found
                continue
            (row,) = found
            require_three(cell, row, convert)
            checked += 1
    assert checked > 15


def test_the_mean_sizes_are_those_of_the_answers_themselves(many: House) -> None:
    answers = [one.document["answer"] for one in many.archive.scores(date(2026, 9, 1), date(2026, 9, 30)) if one.document]
    assert len(answers) == 40
    _, *shown = said(ask(many, SEPTEMBER)).tables["By clinical group"]
    for label, cell, *_ in shown:
        told = [one for answer in answers for one in answer["explanation"]["horizons"]["90"]["groups"] if one["group"] == label]
        assert three(cell)[0] == f"{sum(abs(one['percentage_points']) for one in told) / 40:.1f}"


def test_strata_stand_side_by_side_with_the_numbers_of_each(many: House) -> None:
    given = SEPTEMBER | {"by": "line"}
    rows = [one for one in numbers_of(many, given) if one["by"] == "line"]
    header, *shown = said(ask(many, given)).tables["By prior lines of systemic treatment"]
    assert [row[0] for row in shown] == ["0 prior lines", "1 prior line", "2 prior lines", "3 or more prior lines"]
    for level, patients, risk, *cells in shown:
        of_level = {(one["name"], one["figure"]): one for one in rows if one["level"] == level}
        assert patients == of_level["patients", "count"]["value"] == "10"
        require_three(risk.replace(" %", ""), of_level["risk", "mean"], a_hundred_times)
        for group, cell in zip(header[3:], cells, strict=True):
            require_three(cell, of_level[group, "mean absolute change"])


DISTANCES = {
    "gap (chance)": ["Kolmogorov-Smirnov", "total variation"],
    "Wasserstein, SDs (chance)": ["Wasserstein-1 (SDs)"],
    "PSI (chance)": ["population stability index"],
}


def converted(row: Mapping[str, str]) -> Any:
    """From the scale of the model to the unit that a page shows."""
    if row["part"] == "shift: risk" or row["figure"].startswith("mean, "):
        return a_hundred_times
    return {"ln": math.exp, "log10": lambda value: 10.0**value}.get(row["unit"].rpartition(", ")[2], as_it_is)


def require_line(cells: Mapping[str, str], row: Mapping[str, dict[str, str]]) -> None:
    """Every number in a line of a comparison is one of the numbers (by figure) of that line."""
    assert agrees(cells["p"], row["p, all lines considered"]["value"])
    for side in ("first", "second"):
        if f"percentile 50, {side}" in row:
            median, low, high = three(cells[side].replace(" %", ""))
            for shown, share in ((low, 10), (median, 50), (high, 90)):
                one = row[f"percentile {share}, {side}"]
                assert agrees(shown, one["value"], converted(one)), (cells, one)
        elif f"mean, {side}" in row:
            assert agrees(cells[side], row[f"mean, {side}"]["value"], a_hundred_times)
        else:
            assert cells[side] in ("by level", "fewer than 10")
    for column, names in DISTANCES.items():
        found = [row[name] for name in names if name in row]
        assert bool(found) == bool(cells.get(column)) or column not in cells
        if cells.get(column):
            value, chance = re.fullmatch(r"(.+) \((.+)\)", cells[column]).groups()  # type: ignore[union-attr]
            assert agrees(value, found[0]["value"])
            assert agrees(chance, found[0]["chance"])


def test_every_number_of_a_shift_is_one_of_the_statistics_and_what_lies_beyond_chance_is_first(many: House) -> None:
    given = SEPTEMBER | OCTOBER
    rows = [one for one in numbers_of(many, given) if one["part"].startswith("shift: ")]
    page, lines = said(ask(many, given)), 0
    for heading in ("Risks and terms", "Inputs", "In how many an input was not known, or in doubt"):
        header, *shown = page.tables[heading]
        verdicts = [cells[-1] for cells in shown]
        assert verdicts == sorted(verdicts, key=lambda one: one != "more than chance")
        for label, *cells in shown:
            of_line = [one for one in rows if label in (one["label"], f"{one['label']}, {one['unit'].rpartition(', ')[0]}")]
            of_line = [one for one in of_line if (one["part"] == "shift: input") == (heading == "Inputs")]
            named = dict(zip(header[1:], cells, strict=True))
            by_figure = {one["figure"]: one for one in of_line}
            require_line(named, by_figure)
            beyond = float(by_figure["p, all lines considered"]["value"]) <= 0.05
            assert named["beside chance"] == ("more than chance" if beyond else "within chance")
            lines += 1
    assert lines == len({(one["part"], one["name"]) for one in rows}) > 15
    assert page.tables["Risks and terms"][1][0] == "risk within 90 days"
    assert page.tables["Inputs"][1][0] == "albumin, g/L"  # who came in October had less of it


def test_bars_are_as_long_as_their_numbers_and_the_intervals_lie_where_they_say(many: House) -> None:
    rows = numbers_of(many, SEPTEMBER)
    sizes = [one for one in rows if (one["part"], one["figure"]) == ("group", "mean absolute change")]
    sizes = [one for one in sizes if float(one["value"]) > 1e-9]  # the others moved nothing
    drawn = said(ask(many, SEPTEMBER)).drawn
    rects = [one for tag, one in drawn if tag == "rect"]
    lines = [one for tag, one in drawn if tag == "line" and one["class"] == "interval"]
    longest = float(max(sizes, key=lambda one: float(one["high"]))["high"])
    assert len(rects) == len(lines) == len(sizes) == 5
    for one, rect, line in zip(sizes, rects, lines, strict=True):
        assert float(rect["width"] or "") == pytest.approx(426 * float(one["value"]) / longest, abs=0.02)
        assert float(line["x1"] or "") == pytest.approx(2 + 426 * float(one["low"]) / longest, abs=0.02)
        assert float(line["x2"] or "") == pytest.approx(2 + 426 * float(one["high"]) / longest, abs=0.02)


def test_groups_of_bars_share_one_scale_and_too_many_of_them_are_left_to_the_table() -> None:
    two = bars([("blood", [("a", Figure(1.0, 0.5, 2.0)), ("b", Figure(2.0, 1.0, 4.0))]), ("age", [("a", Figure(4.0, 3.0, 5.0))])])
    assert [one.label for one in two.bars] == ["a", "b", "age"]
    assert [one.label for one in two.headings] == ["blood"]
    first, second, third = (one.width for one in two.bars)
    assert [second / first, third / first] == pytest.approx([2, 4], abs=1e-3)
    heights = [two.headings[0].y, *(one.y for one in two.bars)]
    assert heights == sorted(set(heights))
    wide = [(str(group), [(str(level), Figure(1.0, 1.0, 1.0)) for level in range(25)]) for group in range(5)]
    assert (len(bars(wide).bars), bars(wide).left_out) == (50, 3)
    assert MOST_BARS == 60


def test_nothing_is_drawn_where_nothing_is_told(many: House) -> None:
    page = ask(many, {"from": "2026-08-01", "to": "2026-08-31"})
    assert page.status_code == 200
    assert "the period: fewer than 10 patients with a risk within 90 days; at least 10 are needed" in said(page).words
    assert said(page).drawn == []
    assert said(page).tables == {}
