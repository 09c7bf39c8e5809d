"""A fitted booster becomes leaf tables: the exact SHAP terms of its leaves, worked out once for every answer there can be.

A leaf of value v is a game that pays v if every column on its path leads there. A column that is known does or does not; one
that is not known does so for the share of development patients who pass it (path-dependent TreeSHAP). The pay is a product over
columns, so its Shapley values are integrals of polynomials, and Gauss's rule with two points is exact for up to four columns.

References
----------
Lundberg SM et al, From local explanations to global understanding with explainable AI for trees, Nat Mach Intell 2020,
doi:10.1038/s42256-019-0138-9. Owen G, Multilinear extensions of games, Manage Sci 1972, doi:10.1287/mnsc.18.5.64.2.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xgboost

from models.design import BoolArray, FloatArray
from models.trees import QUESTIONS, LeafTables
from training.learners.counted_trees import Leaf, Question, Tree, Turn, booster_json, counted_trees, leaves, start_log_odds

COLUMNS = 4  # on a path at most: see the docstring
QUESTIONS_TOGETHER = 5  # of a twig with several leaves: one more doubles the tables and saves hardly any time
GAUSS = np.polynomial.legendre.leggauss(2)[0] / 2 + 0.5  # on [0, 1], equal weights

Run = tuple[int, int, int]  # column, first horizon, stop


@dataclass(frozen=True)
class Branch:
    """A leaf and the way to it: by column, the answers that lead there and the share of development patients who give them."""

    value: float
    answers: dict[int, list[tuple[Question, bool]]]
    shares: dict[int, float]
    first: int  # it counts at horizons[first:stop]
    stop: int


def compile_leaf_tables(booster: xgboost.Booster, x: FloatArray, horizons: Sequence[float]) -> LeafTables:
    """Leaf tables of all trees of `booster`, whose last feature is the horizon.

    `x` (n, k): the development patients' design rows, one each, without the horizon; `horizons` in days, increasing. ValueError
    for a path through more than four columns or eight questions, and for boosters that are not plain `binary:logistic` trees.
    """
    days = np.array(horizons, np.float64)
    if not len(days) or not (np.diff(days, prepend=0.0) > 0).all() or math.isinf(days[-1]):
        raise ValueError(f"horizons of {', '.join(map(str, horizons))} days: allowed are positive, finite and increasing")
    model = booster_json(booster)
    twigs = [twig for tree in counted_trees(model, x) for twig in _twigs(tree, x.shape[1], days)]
    base = np.full(len(days), start_log_odds(model))
    for branch in itertools.chain.from_iterable(twigs):
        base[branch.first : branch.stop] += branch.value * math.prod(branch.shares.values())
    return _tables(days, x.shape[1], base, [twig for twig in twigs if _questions(twig)])


def shapley_terms(value: float, leads: BoolArray, shares: FloatArray) -> FloatArray:
    """Shapley values (..., u) of a leaf of `value`, where columns `leads` (..., u) there and `shares` (u,) of the patients do."""
    gain = leads - shares
    paid = shares + GAUSS[(...,) + (None,) * leads.ndim] * gain  # each column known with probability q, at Gauss's two q
    others = np.prod(paid, axis=-1, keepdims=True) / paid
    terms: FloatArray = value * gain * others.mean(axis=0)
    return terms


def _twigs(tree: Tree, horizon: int, days: FloatArray, way: tuple[Turn, ...] = ()) -> Iterator[list[Branch]]:
    """The tree in parts that ask few questions each, as large as they can be."""
    branches = [_branch(leaf, turns, horizon, days) for leaf, turns in leaves(tree, way)]
    branches = [branch for branch in branches if branch.first < branch.stop]
    if isinstance(tree, Leaf) or len(_questions(branches)) <= QUESTIONS_TOGETHER:
        yield branches
    else:
        yield from _twigs(tree.left, horizon, days, (*way, (tree, False)))
        yield from _twigs(tree.right, horizon, days, (*way, (tree, True)))


def _branch(leaf: Leaf, way: tuple[Turn, ...], horizon: int, days: FloatArray) -> Branch:
    first, stop = 0, len(days)
    answers: dict[int, list[tuple[Question, bool]]] = defaultdict(list)
    shares: dict[int, float] = defaultdict(lambda: 1.0)
    for split, right in way:
        column, cut, _ = split.question
        if column == horizon:
            below = int((days.astype(np.float32) < np.float32(cut)).sum())
            first, stop = (max(first, below), stop) if right else (first, min(stop, below))
        else:
            answers[column].append((split.question, right))
            shares[column] *= split.share(right)
    if len(shares) > COLUMNS:
        raise ValueError(f"a path through {len(shares)} columns: allowed are {COLUMNS}; likely max_depth is above {COLUMNS}")
    return Branch(leaf.value, answers, shares, first, stop)


def _questions(branches: Iterable[Branch]) -> list[Question]:
    return sorted({question for branch in branches for pairs in branch.answers.values() for question, _ in pairs})


def _twig_tables(branches: list[Branch], questions: list[Question]) -> dict[Run, FloatArray]:
    """The tables of a twig: terms under each byte of answers, bit j being the answer to question j."""
    if len(questions) > QUESTIONS:
        raise ValueError(f"a path of {len(questions)} questions: allowed are {QUESTIONS}; likely max_depth is above {QUESTIONS}")
    bits = (np.arange(2 ** len(questions))[:, None] >> np.arange(len(questions))) & 1 == 1
    said = dict(zip(questions, bits.T, strict=True))
    tables: dict[Run, FloatArray] = defaultdict(lambda: np.zeros(len(bits)))
    for branch in (branch for branch in branches if branch.answers):
        leads = np.stack([np.all([said[q] == right for q, right in pairs], axis=0) for pairs in branch.answers.values()], axis=1)
        terms = shapley_terms(branch.value, leads, np.array(list(branch.shares.values())))
        for place, column in enumerate(branch.answers):
            tables[column, branch.first, branch.stop] += terms[:, place]
    return tables


def _tables(days: FloatArray, columns: int, base: FloatArray, twigs: list[list[Branch]]) -> LeafTables:
    asked = [_questions(twig) for twig in twigs]
    tables = [(twig, run, table) for twig in range(len(twigs)) for run, table in _twig_tables(twigs[twig], asked[twig]).items()]
    runs = sorted({run for _, run, _ in tables})
    numbers = {run: number for number, run in enumerate(runs)}
    column, first, stop = np.array(runs, np.int32).reshape(-1, 3).T.copy()
    questions = np.tile((0.0, math.nan, 0.0), (len(twigs), QUESTIONS, 1))
    for row, of_twig in zip(questions, asked, strict=True):
        row[: len(of_twig)] = of_twig
    return LeafTables(
        horizons=tuple(days.tolist()),
        columns=columns,
        base=base,
        asked=questions[..., 0].astype(np.int32),
        cut=questions[..., 1].astype(np.float32),
        missing=questions[..., 2].astype(np.bool_),
        column=column,
        first=first,
        stop=stop,
        twig=np.array([twig for twig, _, _ in tables], np.int32),
        run=np.array([numbers[run] for _, run, _ in tables], np.int32),
        table=np.concatenate([np.zeros(0), *(table for _, _, table in tables)]),
    )
