import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models.trees
from models.trees import LeafTables

CUTS = np.float32([-1.5, -0.1, 0.0, 0.1, 0.7, 2.5])


def drawn(seed, twigs=25, columns=4, horizons=(30.0, 90.0, 365.0)):
    """Valid tables of random content: one to five questions a twig, up to three tables."""
    rng = np.random.default_rng(seed)
    questions = rng.integers(1, 6, twigs)
    cut = np.where(np.arange(8) < questions[:, None], rng.choice(CUTS, (twigs, 8)), np.float32(np.nan))
    runs = sorted({(rng.integers(columns), first, rng.integers(first, 3) + 1) for first in rng.integers(0, 3, 9)})
    column, first, stop = np.array(runs, np.int32).T.copy()
    twig = np.repeat(np.arange(twigs, dtype=np.int32), rng.integers(1, 4, twigs))
    return LeafTables(
        horizons=horizons,
        columns=columns,
        base=rng.normal(size=3),
        asked=rng.integers(0, columns, (twigs, 8), dtype=np.int32),
        cut=cut,
        missing=rng.random((twigs, 8)) < 0.5,
        column=column,
        first=first,
        stop=stop,
        twig=twig,
        run=rng.integers(0, len(runs), len(twig), dtype=np.int32),
        table=rng.normal(size=(2 ** questions[twig]).sum()),
    )


def looked_up_slowly(tables, row):
    """The terms of one design row as a person would look them up."""
    terms, start = np.zeros((len(tables.horizons), tables.columns)), 0
    for twig, run in zip(tables.twig, tables.run, strict=True):
        size = 2 ** int((~np.isnan(tables.cut[twig])).sum())
        answers = [
            bool(missing) if np.isnan(row[column]) else np.float32(row[column]) >= cut
            for column, cut, missing in zip(tables.asked[twig], tables.cut[twig], tables.missing[twig], strict=True)
            if not np.isnan(cut)
        ]
        entry = sum(2**j for j, yes in enumerate(answers) if yes)
        terms[tables.first[run] : tables.stop[run], tables.column[run]] += tables.table[start + entry]
        start += size
    return terms


def patients(seed, n, columns=4):
    """Design rows that lie on the cuts, beside them by less than float32 can hold, far off, or are missing."""
    rng = np.random.default_rng(seed)
    near = rng.choice(CUTS.astype(np.float64), (n, columns)) * (1 + rng.choice([0.0, 1e-12, -1e-12, 1e-3, -1e-3], (n, columns)))
    kind = rng.integers(0, 4, (n, columns))
    return np.select([kind == 0, kind == 1], [np.nan, rng.normal(size=(n, columns))], near)


# 0 log-odds, but 1 if the first column is at least 1, and 4 if then the second is at least 2; half of the patients pass each
BY_HAND = LeafTables(
    horizons=(90.0,),
    columns=2,
    base=np.array([1.25]),
    asked=np.array([[0, 1, 0, 0, 0, 0, 0, 0]], np.int32),
    cut=np.float32([[1, 2, *[np.nan] * 6]]),
    missing=np.array([[False, True, *[False] * 6]]),
    column=np.array([0, 1], np.int32),
    first=np.array([0, 0], np.int32),
    stop=np.array([1, 1], np.int32),
    twig=np.array([0, 0], np.int32),
    run=np.array([0, 1], np.int32),
    table=np.array([-0.875, 0.875, -1.625, 1.625, -0.375, -1.125, 0.375, 1.125]),
)


@pytest.mark.parametrize(
    ("row", "terms"),
    [
        ((1.0, 2.0), (1.625, 1.125)),
        ((1.0, 1.9), (0.875, -1.125)),
        ((0.9, 2.0), (-1.625, 0.375)),
        ((0.9, 1.9), (-0.875, -0.375)),
        ((1.0, np.nan), (1.625, 1.125)),
        ((np.nan, 2.0), (-1.625, 0.375)),
    ],
)
def test_terms_are_looked_up_under_the_answers(row, terms):
    assert BY_HAND.terms(np.array([row])).tolist() == [[list(terms)]]


def test_a_value_is_rounded_to_float32_before_it_is_compared():
    just_below = np.nextafter(1.0, 0.0)
    assert np.array_equal(BY_HAND.terms(np.array([[just_below, 2.0]])), BY_HAND.terms(np.array([[1.0, 2.0]])))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), n=st.integers(0, 12))
def test_terms_are_those_that_a_person_would_look_up(seed, n):
    tables, x = drawn(seed), patients(seed + 1, n)
    terms = tables.terms(x)
    assert terms.shape == (n, 3, 4)
    for row, of_row in zip(x, terms, strict=True):
        np.testing.assert_allclose(of_row, looked_up_slowly(tables, row), rtol=0, atol=1e-13)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 40), data=st.data())
def test_a_patient_alone_has_the_terms_of_a_patient_in_company_to_the_bit(seed, n, data):
    tables, x = drawn(seed), patients(seed + 1, n)
    company = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=60))
    alone = np.concatenate([tables.terms(x[[who]]) for who in company])
    assert tables.terms(x[company]).tobytes() == alone.tobytes()
    assert tables.terms(np.asfortranarray(x[company])).tobytes() == alone.tobytes()


@pytest.mark.parametrize("lookups", [1, 200, 2**16])
def test_terms_do_not_depend_on_how_many_are_looked_up_at_once(monkeypatch, lookups):
    x, whole = patients(5, 60), drawn(4).terms(patients(5, 60))
    monkeypatch.setattr(models.trees, "LOOKUPS", lookups)
    assert drawn(4).terms(x).tobytes() == whole.tobytes()


def test_a_batch_larger_than_one_block_is_scored_whole():
    tables, x = drawn(6), patients(7, 3000)
    terms = tables.terms(x)
    assert len(x) > models.trees.LOOKUPS / len(tables.twig)
    assert all(terms[[who]].tobytes() == tables.terms(x[[who]]).tobytes() for who in range(0, 3000, 61))


def test_trees_that_ask_nothing_have_no_terms():
    nothing = np.zeros(0, np.int32)
    silent = dataclasses.replace(
        BY_HAND,
        **dict.fromkeys(("column", "first", "stop", "twig", "run"), nothing),
        asked=np.zeros((0, 8), np.int32),
        cut=np.zeros((0, 8), np.float32),
        missing=np.zeros((0, 8), np.bool_),
        table=np.zeros(0),
    )
    again = LeafTables.from_arrays(silent.arrays())
    assert again.terms(np.ones((2, 2))).tolist() == np.zeros((2, 1, 2)).tolist()


def test_saving_and_loading_changes_no_bit():
    tables, file = drawn(8), io.BytesIO()
    np.savez(file, allow_pickle=False, **tables.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = LeafTables.from_arrays(arrays)
    assert (again.horizons, again.columns) == (tables.horizons, tables.columns)
    assert all(array.tobytes() == tables.arrays()[name].tobytes() for name, array in again.arrays().items())
    assert again.terms(patients(9, 50)).tobytes() == tables.terms(patients(9, 50)).tobytes()


def test_rows_of_another_design_are_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 3\): allowed is \(n, 2\)"):
        BY_HAND.terms(np.zeros((1, 3)))


def changed(name, place, value):
    array = BY_HAND.arrays()[name].copy()
    array[place] = value
    return {name: array}


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ({"table": BY_HAND.table.astype(np.float32)}, "table is float32"),
        ({"asked": BY_HAND.asked.astype(np.int64)}, "asked is int64"),
        ({"base": np.zeros((1, 1))}, r"base is float64 \(1, 1\)"),
        ({"base": np.zeros(2)}, "base has n_horizons = 2"),
        ({"cut": BY_HAND.cut[:, :7]}, "cut has 8 = 7"),
        ({"missing": np.zeros((2, 8), np.bool_)}, "missing has n_twigs = 2"),
        ({"run": BY_HAND.run[:1]}, "run has n_tables = 1"),
        ({"stop": BY_HAND.stop[:1]}, "stop has n_runs = 1"),
        ({"horizons": np.zeros(0), "base": np.zeros(0)}, "horizons positive and rising"),
        (changed("horizons", 0, -90.0), "horizons positive and rising"),
        (changed("horizons", 0, np.nan), "horizons positive and rising"),
        ({"horizons": np.array([90.0, 60.0]), "base": np.zeros(2)}, "horizons positive and rising"),
        (changed("base", 0, np.inf), "base finite"),
        (changed("columns", (), 1), "asked a design column"),
        (changed("asked", (0, 7), -1), "asked a design column"),
        (changed("cut", (0, 0), np.inf), "cut finite, then NaN"),
        (changed("cut", (0, 0), np.nan), "cut finite, then NaN"),
        (changed("column", 1, 2), "column a design column"),
        (changed("first", 1, 1), "first a horizon, before stop"),
        (changed("first", 1, -1), "first a horizon, before stop"),
        (changed("stop", 1, 2), "stop at most the number of horizons"),
        (changed("twig", 1, 1), "twig one of the twigs"),
        (changed("run", 0, -1), "run one of the runs"),
        ({"table": BY_HAND.table[:-1]}, "table as long as"),
        (changed("cut", (0, 2), 3.0), "table as long as"),
        (changed("table", 3, np.nan), "table finite"),
    ],
)
def test_damaged_arrays_are_refused(damage, fault):
    with pytest.raises(ValueError, match=fault):
        LeafTables.from_arrays(BY_HAND.arrays() | damage)


@pytest.mark.parametrize("names", [["base"], []])
def test_missing_and_unknown_arrays_are_refused(names):
    arrays = {name: array for name, array in BY_HAND.arrays().items() if name not in names}
    with pytest.raises(ValueError, match="allowed is exactly"):
        LeafTables.from_arrays(arrays | ({} if names else {"code": np.zeros(1)}))
