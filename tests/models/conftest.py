"""Patients in one line, and models whose every effect obeys its clinical sign."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from models.design import Design, columns_of
from models.features import FEATURES
from models.imputation import Imputation
from models.linear import LinearModel, Ramps
from models.patient import GivenMeasurement, Patient, assemble
from models.population import Population
from models.risk import Calibration, HorizonStanding, Refits, RiskModel
from models.trees import LeafTables

settings.register_profile("unhurried", deadline=None)  # a shared machine may pause for longer than any law takes
settings.load_profile("unhurried")

DAYS = (30.0, 90.0, 180.0, 365.0)
# limits to which the columns are clipped, on the model's scale; narrower than the hard ranges, as those of a cohort are
LIMITS = {
    "ln_alc": (math.log(0.1), math.log(5.0)),
    "ln_nlr": (math.log(0.4), math.log(40.0)),
    "alc_change": (-1.5, 1.5),
    "nlr_change": (-1.5, 1.5),
    "albumin": (18.0, 52.0),
    "hemoglobin": (6.0, 17.0),
    "age": (30.0, 90.0),
    "sex_male": (0.0, 1.0),
}
MakePatient = Callable[..., Patient]


@pytest.fixture(scope="session")
def make_patient() -> MakePatient:
    """Makes a woman of 61 with a pancreatic tumour, with measurements and changes."""

    def make(*measurements: GivenMeasurement, **changes: Any) -> Patient:
        usual = {"id": "p", "age_years": 61, "sex": "female", "tumour": "pancreatic", "measurements": measurements}
        return assemble(**usual | changes)

    return make


@pytest.fixture(scope="session", params=["linear", "trees", "ensemble"])
def directed(request: pytest.FixtureRequest) -> RiskModel:
    """A model of noise but for the clinical signs: whatever holds of its direction holds by construction alone."""
    rng = np.random.default_rng(5)
    design = columns_of([*LIMITS, "tumour"], {"tumour": ("pancreatic", "nsclc")})
    low, high = np.array([LIMITS.get(column.feature, (0.0, 1.0)) for column in design.columns]).T
    linear = _signed(design, low, high, rng)
    trees = None if request.param == "linear" else _grown(design, low, high, rng)
    noise = rng.normal(0, 0.1, (5, len(linear.first)))
    return RiskModel(
        name=f"directed {request.param}",
        design=design,
        horizons=tuple(HorizonStanding(day, "promotable", "", 0.1) for day in DAYS),
        refused={},
        imputation=Imputation((low + high) / 2, np.diag(((high - low) / 4) ** 2), low, high),
        linear=linear,
        trees=trees,
        tree_share={"linear": 0.0, "trees": 1.0, "ensemble": 0.5}[request.param],
        calibration=Calibration(rng.normal(0, 0.05, 4), rng.uniform(0.9, 1.1, 4)),
        refits=Refits(linear.first + noise, linear.last - noise, linear.base + rng.normal(0, 0.05, (5, 1)), _ones(design), 1.0),
        population=Population(),
        required=(),
        development_range={},
        trained_on="noise",
    )


def _ones(design: Design) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.ones(len(design.groups))


def _signed(design: Design, low: Any, high: Any, rng: np.random.Generator) -> LinearModel:
    """Three ramps a column, their coefficients drawn at random within the sign."""
    source, share = np.repeat(np.arange(len(low)), 3), np.tile([0.0, 0.3, 0.6], len(low))
    span = (high - low)[source]
    ramps = Ramps(
        source.astype(np.intp), low[source] + share * span, span / np.tile([1.0, 4.0, 3.0], len(low)), np.full(len(source), 0.4)
    )
    sign = np.array([FEATURES[design.columns[column].feature].sign for column in source])
    drawn = rng.normal(0, 1.0, (2, len(source)))
    first, last = np.where(sign == 0, drawn, sign * np.abs(drawn))
    late = np.log(np.array(DAYS) / DAYS[0]) / np.log(DAYS[-1] / DAYS[0])
    return LinearModel(len(low), ramps, first, last, np.array([-3.0, -2.0, -1.2, -0.4]), late)


def _grown(design: Design, low: Any, high: Any, rng: np.random.Generator) -> LeafTables:
    """Trees grown on deaths that mean nothing, under the product's own constraints."""
    pytest.importorskip("xgboost")
    from training.learners.fit_linear import Stacked
    from training.learners.fit_trees import TreeSettings, fit_trees
    from training.learners.leaf_tables import compile_leaf_tables

    x = rng.uniform(low, high, (400, len(low)))
    dead = np.sort(rng.random((400, len(DAYS))) < 0.4, axis=1)
    stacked = Stacked(dead, np.ones(dead.shape), np.array(DAYS))
    settings = TreeSettings(rounds=40, rate=0.3, least_child_weight=1.0, l2=0.1)
    return compile_leaf_tables(fit_trees(design, x, stacked, settings, seed=1), x, DAYS)
