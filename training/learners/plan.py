"""What is decided before anything is fitted: which horizons, which features, which learners the cohort can bear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from models.design import Design, DesignMatrix, design_matrix
from training.cohort import Cohort
from training.learners.available import FEW_DEATHS, Choice, choose_design
from training.learners.fit_linear import USUAL, LinearSettings
from training.learners.fit_trees import TreeSettings
from training.learners.learn import GRID, LEARNERS
from training.refused import NothingEvaluable, NotSupported
from training.statistics.standing import Standing, standing

HORIZONS = (30.0, 60.0, 90.0, 180.0, 365.0)  # days, reported
AUTO = "auto"


@dataclass(frozen=True)
class Settings:
    """What a data scientist may decide before the cohort is seen. Raises NotSupported for what cannot be."""

    features: tuple[str, ...] | None = None  # named in advance; all that the cohort supports without them
    learner: str = AUTO  # the one of `learners` with the best cross-validated IPA; or one of LEARNERS
    learners: tuple[str, ...] = tuple(LEARNERS)
    horizons: tuple[float, ...] = HORIZONS
    folds: int = 5
    repeats: int = 1
    refits: int = 50
    tree_refits: int = 8  # of them with trees too, where the saved learner has trees
    seed: int = 1
    linear: LinearSettings = USUAL
    trees: TreeSettings | None = None  # None: as suits the number of patients

    def __post_init__(self) -> None:
        faults = []
        if self.learner not in (AUTO, *LEARNERS):
            faults.append(f"learner {self.learner}: allowed are {AUTO}, {', '.join(LEARNERS)}")
        if not self.learners or not set(self.learners) <= set(LEARNERS):
            faults.append(f"learners {', '.join(self.learners) or 'none'}: allowed are some of {', '.join(LEARNERS)}")
        if not self.horizons or any(b <= a or b % 1 for a, b in pairwise((0.0, *self.horizons))):
            faults.append(f"horizons {self.horizons}: allowed are whole days above 0, each once, ascending")
        for name, least in (("folds", 2), ("repeats", 1), ("refits", 2), ("tree_refits", 1), ("seed", 0)):
            if getattr(self, name) < least:
                faults.append(f"{name} {getattr(self, name)}: allowed is {least} or more")
        if faults:
            raise NotSupported("; ".join(faults))

    @property
    def candidates(self) -> tuple[str, ...]:
        """The learners among which the saved one is chosen."""
        return self.learners if self.learner == AUTO else (self.learner,)


@dataclass(frozen=True)
class Plan:
    """One cohort and what is to be fitted on it; horizons in days, `trees` None where only the linear learner is fitted."""

    cohort: Cohort
    settings: Settings
    standings: Mapping[float, Standing]
    served: tuple[float, ...]  # evaluable: the horizons of the model
    grid: tuple[float, ...]  # identifiable: the horizons of the fit
    choice: Choice
    matrix: DesignMatrix = field(repr=False)
    trees: TreeSettings | None

    @property
    def design(self) -> Design:
        """The columns that are learned from."""
        return self.choice.design


def plan_of(cohort: Cohort, settings: Settings) -> Plan:
    """The plan. Raises NothingEvaluable, or NotSupported for features or learners that this cohort cannot support."""
    standings = {day: standing(cohort.follow_up, day, groups=cohort.several_rows) for day in settings.horizons}
    served = _served(standings)
    trees = (settings.trees or TreeSettings.for_patients(len(cohort))) if _bears_trees(cohort, settings) else None
    choice = choose_design(cohort, settings.features)
    matrix = design_matrix(choice.design, cohort.patients)
    return Plan(cohort, settings, standings, served, _grid(cohort, settings), choice, matrix, trees)


def _served(standings: Mapping[float, Standing]) -> tuple[float, ...]:
    served = tuple(day for day, one in standings.items() if one.evaluable)
    if not served:
        raise NothingEvaluable("; ".join(f"day {day:g} is {one.level}: {one.why}" for day, one in standings.items()))
    return served


def _grid(cohort: Cohort, settings: Settings) -> tuple[float, ...]:
    """All that are identifiable, even where too few died for one to be judged: they lend strength to their neighbours."""
    asked = sorted({*GRID, *settings.horizons})
    return tuple(day for day in asked if standing(cohort.follow_up, day).level != "not identifiable")


def _bears_trees(cohort: Cohort, settings: Settings) -> bool:
    deaths = int(cohort.follow_up.deaths.sum())
    if settings.folds > len(cohort):
        raise NotSupported(f"folds {settings.folds}: allowed is up to the {len(cohort)} patients")
    asked = settings.candidates
    if deaths < FEW_DEATHS and "linear" not in asked:
        few = f"{deaths} deaths, and below {FEW_DEATHS} only the linear learner is fitted"
        raise NotSupported(f"learner {', '.join(asked)}: the cohort has {few}")
    return deaths >= FEW_DEATHS and asked != ("linear",)
