"""The intervals of a patient's risk: how often they hold what the same method says once it has learned from very many patients.

The limit is a model of the same settings and learner from so large a cohort that another would say the same. Cohorts of the
usual size are developed on, and new patients get an interval from each. The true risk given complete covariates and hospital
stands beside it, judged by nobody: an interval of 90 % does not promise to hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from marks import Mark
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from truth import true_risks

from models.design import BoolArray, FloatArray, design_matrix
from models.risk import RiskModel, sigmoid
from training.cohort import Cohort, read_cohort
from training.fit import Advance, Settings, fit
from training.progress import unwatched
from training.simulation.files import write
from training.simulation.simulate import SimulatedCohort, simulate

LEAST, MOST = 0.86, 0.94  # of intervals of 90 %; at a single horizon they may hold more, never less
LEARNERS = ("linear", "ensemble")
SIZES, COHORTS = (1_000, 2_000), 12  # patients of a development cohort, and how many cohorts of each size
UNLIMITED, NEW = 80_000, 2_000  # patients of the limit, and those who are scored
SEEDS = {"unlimited": 9_001, "new": 9_002, "cohorts": 9_100}  # stated before anything was run


@dataclass(frozen=True)
class Held:
    """Whether each interval (cohorts, n, h) holds the limit's risk, and whether it holds the true one."""

    limit: BoolArray
    truth: BoolArray
    estimated: BoolArray  # (n,): who has inputs that were not measured
    tenth: NDArray[np.intp]  # (n, h): the tenth of risk, 0 to 9, as the limit has it


def sit(
    folder: Path,
    advance: Advance,
    sizes: Sequence[int] = SIZES,
    cohorts: int = COHORTS,
    unlimited: int = UNLIMITED,
    new: int = NEW,
    refits: int = 50,
    learners: Sequence[str] = LEARNERS,
) -> list[Mark]:
    """Every learner at every size."""
    strangers = simulate(new, SEEDS["new"])
    asked = read_cohort(write(strangers, folder / "new"))
    many = _drawn(unlimited, SEEDS["unlimited"], folder)
    marks = []
    for learner in learners:
        advance(f"{learner}: the limit", 0, 1)
        with threadpool_limits(1):
            limit = fit(many, Settings(learner=learner, refits=2, tree_refits=1), unwatched).model
        advance(f"{learner}: the limit", 1, 1)
        for size in sizes:
            models = []
            for number in range(cohorts):
                advance(f"{learner}, {size:,} patients", number, cohorts)
                models.append(_developed(size, number, Settings(learner=learner, refits=refits), folder))
            advance(f"{learner}, {size:,} patients", cohorts, cohorts)
            marks += _marks(f"{learner}, {size:,} patients", limit, _held(models, limit, asked, strangers))
    return marks


def _drawn(patients: int, seed: int, folder: Path) -> Cohort:
    return read_cohort(write(simulate(patients, seed), folder / f"{patients}-{seed}"))


def _developed(patients: int, number: int, settings: Settings, folder: Path) -> RiskModel:
    path = folder / f"{patients}-{SEEDS['cohorts'] + number}"
    cohort = read_cohort(path / "cohort.toml") if path.exists() else _drawn(patients, SEEDS["cohorts"] + number, folder)
    with threadpool_limits(1):
        return fit(cohort, settings, unwatched).model


def _held(models: Sequence[RiskModel], limit: RiskModel, asked: Cohort, strangers: SimulatedCohort) -> Held:
    matrix = design_matrix(limit.design, asked.patients)
    meant, true = limit.score(matrix).risk, true_risks(strangers, asked, limit.days)
    ends = [_interval(model, asked) for model in models]
    holds = [np.array([(low <= risk) & (risk <= high) for low, high in ends]) for risk in (meant, true)]
    tenth = meant.argsort(axis=0).argsort(axis=0) * 10 // len(meant)
    return Held(holds[0], holds[1], np.asarray(matrix.to_estimate.any(axis=1)), tenth)


def _interval(model: RiskModel, asked: Cohort) -> tuple[FloatArray, FloatArray]:
    """Both ends (n, h) of every patient's interval, as they are shown."""
    scores = model.score(design_matrix(model.design, asked.patients))
    reach = model.reach * model.spreads(scores.filled.x)[1]
    return sigmoid(scores.log_odds - reach), sigmoid(scores.log_odds + reach)


def _marks(who: str, limit: RiskModel, held: Held) -> list[Mark]:
    bar = {"least": LEAST, "most": MOST}
    varied = f"the true risk {held.truth.mean():.3f}; one cohort to another {held.limit.mean(axis=(1, 2)).std():.3f}"
    marks = [Mark(f"{who}: intervals that hold the limit's risk", held.limit.mean(), note=varied, **bar)]
    for place, day in enumerate(limit.days):
        note = f"the true risk {held.truth[..., place].mean():.3f}"
        marks.append(Mark(f"{who}: by day {day}", held.limit[..., place].mean(), least=LEAST, note=note))
    among, truth = held.limit[:, held.estimated].mean(), held.truth[:, held.estimated].mean()
    share = f"{held.estimated.mean():.0%} of them; the true risk {truth:.3f}"
    marks.append(Mark(f"{who}: among those with estimated inputs", among, note=share, **bar))
    tenths = [held.limit[:, held.tenth == tenth].mean() for tenth in range(10)]
    true = [held.truth[:, held.tenth == tenth].mean() for tenth in range(10)]
    told = (" ".join(f"{share:.2f}" for share in shares) for shares in (tenths, true))
    note = "from the lowest to the highest risk {}; the true risk {}".format(*told)
    return [*marks, Mark(f"{who}: in the tenth of risk where fewest hold", min(tenths), note=note)]
