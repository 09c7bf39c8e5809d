"""The tree learner at prediction time: what each tree says of a patient, and why, stands in tables made beforehand.

A *twig* is a part of a tree, with all that leads to it, that asks at most eight questions: "is this value at least that?" The
answers are the bits of one byte, and under that byte stand the exact SHAP terms of the twig's leaves, one table for each
design column and run of horizons. Scoring is a comparison, a look-up and a sum, for all horizons at once and without XGBoost;
base + terms is the log-odds. The tables fix the order of every sum, so it never depends on who is scored together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.design import BoolArray, FloatArray

QUESTIONS = 8  # of a twig at most: the bits of a byte
LOOKUPS = 2**15  # at once: what they touch stays in the cache, and what they need is no more than the allocator keeps at hand
LAYOUT: Mapping[str, tuple[str, tuple[str, ...]]] = {  # of the arrays as saved: type and shape
    "horizons": ("float64", ("n_horizons",)),
    "columns": ("int64", ()),
    "base": ("float64", ("n_horizons",)),
    "asked": ("int32", ("n_twigs", "8")),
    "cut": ("float32", ("n_twigs", "8")),
    "missing": ("bool", ("n_twigs", "8")),
    "column": ("int32", ("n_runs",)),
    "first": ("int32", ("n_runs",)),
    "stop": ("int32", ("n_runs",)),
    "twig": ("int32", ("n_tables",)),
    "run": ("int32", ("n_tables",)),
    "table": ("float64", ("n_entries",)),
}


@dataclass(frozen=True, eq=False)
class LeafTables:
    """The trees at every horizon, as tables of SHAP terms (log-odds) under a patient's answers.

    A value is rounded to float32 before it is asked for, as XGBoost does. A table has 2**q entries where its twig asks q
    questions, and the tables stand one after another in `table`.
    """

    horizons: tuple[float, ...]  # days, increasing
    columns: int  # design columns k; the horizon is not one of them
    base: FloatArray  # (n_horizons,) mean log-odds of the development patients
    asked: NDArray[np.int32]  # (n_twigs, 8) design column of each question
    cut: NDArray[np.float32]  # (n_twigs, 8) "at least this?"; NaN after the twig's last question
    missing: BoolArray  # (n_twigs, 8) the answer where there is no value
    column: NDArray[np.int32]  # (n_runs,) a run is a design column at horizons[first:stop]
    first: NDArray[np.int32]
    stop: NDArray[np.int32]
    twig: NDArray[np.int32]  # (n_tables,) whose answers a table is for
    run: NDArray[np.int32]  # (n_tables,) where its terms count
    table: FloatArray  # (n_entries,)

    def terms(self, x: FloatArray) -> FloatArray:
        """Terms of design rows `x` (n, k), NaN = missing: shape (n, n_horizons, k), log-odds."""
        if x.ndim != 2 or x.shape[1] != self.columns:
            raise ValueError(f"design rows of shape {x.shape}: allowed is (n, {self.columns}); likely another model's design")
        terms = np.empty((len(x), len(self.horizons), self.columns))
        for start in range(0, len(x), self._block):
            terms[start : start + self._block] = self._block_terms(x[start : start + self._block])
        return terms

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays, for an npz; `from_arrays` gives the same tables back, to the bit."""
        return {name: np.asarray(getattr(self, name), dtype) for name, (dtype, _) in LAYOUT.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LeafTables:
        """The tables that `arrays` hold; ValueError saying what is wrong with them."""
        _require_layout(arrays)
        contents: dict[str, Any] = {name: np.ascontiguousarray(arrays[name]) for name in LAYOUT}
        tables = cls(**contents | {"horizons": tuple(arrays["horizons"].tolist()), "columns": int(arrays["columns"])})
        _require_sense(tables)
        return tables

    def _block_terms(self, x: FloatArray) -> FloatArray:
        """Terms of one block of patients: tables are summed by run, and runs spread over their horizons."""
        n, horizons = len(x), len(self.horizons)
        found = self.table.take(self._answers(x).take(self.twig, axis=1) + self._starts)
        by_run = _sums(self._run_places, found, n * len(self.column)).reshape(n, -1)
        spread = by_run.take(self._spread[0], axis=1)
        return _sums(self._cell_places, spread, n * horizons * self.columns).reshape(n, horizons, -1)

    def _answers(self, x: FloatArray) -> NDArray[np.uint8]:
        """One byte for each patient and twig, (n, n_twigs). A missing value lies below every cut or above it, as asked."""
        value = x.astype(np.float32)
        absent = np.isnan(value)
        both = np.concatenate((np.where(absent, -np.inf, value), np.where(absent, np.inf, value)), axis=1)
        yes: BoolArray = both.take(self._questions, axis=1) >= self.cut.ravel()
        return np.packbits(yes, axis=1, bitorder="little")

    @cached_property
    def _questions(self) -> NDArray[np.intp]:
        """Where each question finds its value: among those with "missing" below every cut, or behind them, above."""
        return np.asarray(self.asked + self.columns * self.missing, np.intp).ravel()

    @cached_property
    def _sizes(self) -> NDArray[np.intp]:
        sizes: NDArray[np.intp] = 2 ** np.count_nonzero(~np.isnan(self.cut), axis=1)
        return sizes[self.twig]

    @cached_property
    def _starts(self) -> NDArray[np.intp]:
        return np.cumsum(self._sizes) - self._sizes

    @cached_property
    def _spread(self) -> NDArray[np.intp]:
        """(2, m): each run at each of its horizons, and the cell (horizon, column) that it counts in."""
        runs = enumerate(zip(self.column.tolist(), self.first.tolist(), self.stop.tolist(), strict=True))
        spread = [(run, at * self.columns + column) for run, (column, first, stop) in runs for at in range(first, stop)]
        return np.array(spread, np.intp).reshape(-1, 2).T.copy()

    @cached_property
    def _block(self) -> int:
        return max(1, LOOKUPS // max(1, len(self.twig)))

    @cached_property
    def _run_places(self) -> NDArray[np.intp]:
        return self._for_block(self.run, len(self.column))

    @cached_property
    def _cell_places(self) -> NDArray[np.intp]:
        return self._for_block(self._spread[1], len(self.horizons) * self.columns)

    def _for_block(self, places: NDArray[Any], size: int) -> NDArray[np.intp]:
        """The places of every patient in a block, one patient's `size` places after another's."""
        return np.asarray(np.arange(self._block)[:, None] * size + places, np.intp).ravel()


def _sums(places: NDArray[np.intp], values: FloatArray, size: int) -> FloatArray:
    """Sums of `values` by place. `bincount` adds strictly in the order given: nobody else changes a patient's sums."""
    return np.asarray(np.bincount(places[: values.size], values.ravel(), size), np.float64)


def _require_layout(arrays: Mapping[str, NDArray[Any]]) -> None:
    if set(arrays) != set(LAYOUT):
        raise ValueError(f"leaf tables of {', '.join(sorted(arrays))}: allowed is exactly {', '.join(sorted(LAYOUT))}")
    lengths = {"8": QUESTIONS}
    for name, (dtype, shape) in LAYOUT.items():
        given = arrays[name]
        if given.dtype != dtype or given.ndim != len(shape):
            raise ValueError(f"leaf tables: {name} is {given.dtype} {given.shape}; allowed is {dtype} ({', '.join(shape)})")
        for dimension, length in zip(shape, given.shape, strict=True):
            if lengths.setdefault(dimension, length) != length:
                raise ValueError(f"leaf tables: {name} has {dimension} = {length}; the other arrays have {lengths[dimension]}")


def _require_sense(tables: LeafTables) -> None:
    days, used = np.array(tables.horizons), ~np.isnan(tables.cut)
    _require(len(days) > 0 and np.isfinite(days).all() and (np.diff(days, prepend=0.0) > 0).all(), "horizons positive and rising")
    _require(np.isfinite(tables.base).all(), "base finite")
    _require(_within(tables.asked, tables.columns), "asked a design column")
    _require(not np.isinf(tables.cut).any() and (used[:, :-1] >= used[:, 1:]).all(), "cut finite, then NaN to the end of the row")
    _require(_within(tables.column, tables.columns), "column a design column")
    _require(_within(tables.first, len(days)) and (tables.first < tables.stop).all(), "first a horizon, before stop")
    _require((tables.stop <= len(days)).all(), "stop at most the number of horizons")
    _require(_within(tables.twig, len(tables.cut)), "twig one of the twigs")
    _require(_within(tables.run, len(tables.column)), "run one of the runs")
    _require(len(tables.table) == tables._sizes.sum(), "table as long as its twigs' questions make it")
    _require(np.isfinite(tables.table).all(), "table finite")


def _require(holds: bool | np.bool_, rule: str) -> None:
    if not holds:
        raise ValueError(f"leaf tables: allowed is {rule}; likely a damaged file")


def _within(indices: NDArray[np.int32], size: int) -> bool:
    return bool(((indices >= 0) & (indices < size)).all())
