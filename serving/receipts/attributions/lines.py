"""Which lines a comparison of two tables has: the risk, the term of every group, every input, and in how many it was not known.

Of an input, the values that were known are compared, on the scale on which the model reads them: an estimate says more of the
model than of the patient. How many were not measured, estimated, stale or out of range are lines of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.receipts.attributions.distances import KS, PSI, VARIATION, WASSERSTEIN, Numbers, Words
from serving.receipts.attributions.table import ABSENT, ESTIMATED, NOT_MEASURED, STALE, Floats, Input, Rows, Table, flags

LEAST = 20  # patients in each table, and with a known value in each; below, a distance is mostly chance
RISK, TERM, INPUT, SHARE = "risk", "term of a group", "input", "share"
SHARES: Mapping[str, int] = {
    "not measured": NOT_MEASURED,
    "estimated": ESTIMATED,
    "stale": STALE,
    "out of the development range": flags("out of range"),
}
_Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class What:
    """One thing that is compared: of which kind, called what, of which input if of one, and among how many words (0: numbers)."""

    kind: str
    name: str
    label: str
    of: Input | None = None
    words: int = 0
    share: bool = False  # a yes or no, whose mean is the share of yes

    @property
    def distances(self) -> tuple[str, ...]:
        """The names of its distances; chance is tried on the first."""
        return (VARIATION, PSI) if self.words else (KS, WASSERSTEIN, PSI)


@dataclass(frozen=True)
class Line:
    """What is compared, its rows among those of both tables, one after the other, and its values there."""

    what: What
    rows: Rows
    values: Floats  # places, where it is compared by words
    measure: Numbers | Words
    spread: float = 1.0  # SD of the numbers in the first: the unit of their Wasserstein distance

    def distances(self, second: _Bools) -> tuple[float, ...]:
        """By `what.distances`, where `second` says which rows of both are whose; 0 where one has no value left."""
        given = second[self.rows]
        if given.all() or not given.any():
            return (0.0,) * len(self.what.distances)
        if isinstance(self.measure, Words):
            return self.measure.distances(given)
        wasserstein, gap, stability = self.measure.distances(given)
        return gap, wasserstein / self.spread, stability


@dataclass(frozen=True)
class Pair:
    """Two tables, the first held against the second."""

    first: Table
    second: Table

    @property
    def which(self) -> _Bools:
        """Of each row of both: whether it is of the second."""
        return np.repeat([False, True], [len(self.first), len(self.second)])

    @property
    def patient(self) -> NDArray[np.int64]:
        """Of each row of both."""
        return np.concatenate([self.first.patient, self.second.patient])


def lines(pair: Pair) -> tuple[list[Line], dict[str, str]]:
    """Everything that can be compared; and by label, what cannot, with the reason."""
    untold: dict[str, str] = {}
    found = [*_answers(pair)]
    second = {one.name: place for place, one in enumerate(pair.second.inputs)}
    for place, one in enumerate(pair.first.inputs):
        if one.name not in second:
            untold[one.label] = "an input of the first alone"
            continue
        states = np.concatenate([pair.first.states[:, place], pair.second.states[:, second.pop(one.name)]])
        if why := _too_few(pair, one, known := _known(pair, one, states)):
            untold[one.label] = why
        else:
            found += _input(pair, one, known)
        found += _shares(pair, one, states)
    untold |= {one.label: "an input of the second alone" for one in pair.second.inputs if one.name in second}
    return found, untold


def _answers(pair: Pair) -> Iterator[Line]:
    rows, horizon = np.arange(len(pair.which)), pair.first.horizon
    risk = What(RISK, "risk", f"risk within {horizon} days")
    yield _number(pair, risk, rows, np.append(pair.first.risk, pair.second.risk))
    for group in (one for one in pair.first.groups if one in pair.second.groups):
        terms = [table.group_term[:, table.groups.index(group)] for table in (pair.first, pair.second)]
        yield _number(pair, What(TERM, group, group), rows, np.concatenate(terms).astype(np.float64))


def _input(pair: Pair, one: Input, known: Rows) -> Iterator[Line]:
    values = _values(pair, one)[known]
    if one.scale in ("flag", "level"):
        levels = 2 if one.scale == "flag" else len(_words(pair, one.name))
        if (values != values[0]).any():
            what = What(INPUT, one.name, one.label, one, levels, one.scale == "flag")
            yield Line(what, known, values, Words(values.astype(np.intp), levels))
    else:
        yield _number(pair, What(INPUT, one.name, one.label, one), known, values)


def _number(pair: Pair, what: What, rows: Rows, values: Floats) -> Line:
    spread = float(values[~pair.which[rows]].std(ddof=1))
    return Line(what, rows, values, Numbers.of(values), spread or 1.0)


def _shares(pair: Pair, one: Input, states: NDArray[np.uint16]) -> Iterator[Line]:
    """What happened to the input at all, and not to everybody."""
    rows = np.flatnonzero(states & ABSENT == 0)
    sides = pair.which[rows]
    for word, bits in SHARES.items():
        there = states[rows] & bits > 0
        if there.any() and not there.all() and sides.any() and not sides.all():
            what = What(SHARE, f"{one.name}: {word}", f"{one.label}: {word}", one, 2, True)
            yield Line(what, rows, there.astype(np.float64), Words(there.astype(np.intp), 2))


def _known(pair: Pair, one: Input, states: NDArray[np.uint16]) -> Rows:
    """The rows in which the input was known, and not estimated."""
    return np.flatnonzero(~np.isnan(_values(pair, one)) & (states & (ESTIMATED | ABSENT) == 0))


def _too_few(pair: Pair, one: Input, known: Rows) -> str:
    sides, patient = pair.which[known], pair.patient[known]
    short = min(len(np.unique(patient[sides == side])) for side in (False, True)) < LEAST
    return f"known of fewer than {LEAST} patients in one of the two" if short else ""


def _values(pair: Pair, one: Input) -> Floats:
    """The input in both tables, one after the other; the places of words are those among the words of both."""
    found = []
    words = _words(pair, one.name)
    for table in (pair.first, pair.second):
        column = table.value[:, [other.name for other in table.inputs].index(one.name)].astype(np.float64)
        own = [words.index(word) for word in table.words.get(one.name, ())]
        known = ~np.isnan(column)
        if own:
            column[known] = np.array(own, np.float64)[column[known].astype(np.intp)]
        found.append(column)
    return np.concatenate(found)


def _words(pair: Pair, name: str) -> list[str]:
    return list(dict.fromkeys((*pair.first.words.get(name, ()), *pair.second.words.get(name, ()))))
