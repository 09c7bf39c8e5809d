"""Whether the analysis of recovery finds what is there and nothing else: cohorts in which the truth was set, forty times each.

Where a recovery does nothing, the honest analyses must say so and the naive one must be caught; where it takes a quarter off the
hazard, the time-dependent model must find it and a landmark must fall short of it; where unmeasured fitness brings both, the
report must warn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from marks import Mark

from training.progress import Advance, Steps
from training.rescue.covariates import adjustment
from training.rescue.e_value import e_value
from training.rescue.interactions import whole
from training.rescue.landmarked import Landmarked, landmarked
from training.rescue.modelled import HazardRatio
from training.rescue.naive import Naive, naive
from training.rescue.recovery import events
from training.rescue.simulated import people_of
from training.rescue.timed import timed
from training.simulation.histories import simulate_history

PATIENTS, REPLICATES, CUT_OFF = 2_000, 40, 1.0
LANDMARKS, HORIZON = (28.0, 56.0, 84.0), 365.0
COVERED = 35 / 40
TIME_DEPENDENT, NAIVE = "time-dependent", "naive"


@dataclass
class Found:
    """The ratios of every replicate by the name of the analysis; a landmark that was refused is not among them."""

    ratios: dict[str, list[HazardRatio]] = field(default_factory=dict)

    def add(self, name: str, found: object) -> None:
        """Keep a ratio where there is one."""
        if isinstance(found, HazardRatio):
            self.ratios.setdefault(name, []).append(found)

    def mean(self, name: str) -> float:
        """The mean hazard ratio of an analysis."""
        return fmean(one.value for one in self.ratios[name])

    def covering(self, name: str, truth: float) -> float:
        """The share of 95 % intervals that hold the truth."""
        return fmean(one.low <= truth <= one.high for one in self.ratios[name])


def replicated(ratio: float, fitness: bool, replicates: int, patients: int, step: Callable[[int], None]) -> Found:
    """The analyses of cohorts in which a recovery multiplies the hazard by `ratio`; seeds 1, 2, 3 and so on."""
    found = Found()
    for seed in range(1, replicates + 1):
        simulated = simulate_history(patients, seed, rescue_hazard_ratio=ratio, unmeasured_fitness=fitness, truth=False)
        people = people_of(simulated, CUT_OFF)
        adjusting, of = adjustment(people), timed(people, events(CUT_OFF)[0])
        found.add(TIME_DEPENDENT, whole(of, adjusting))
        biased = naive(of, HORIZON, adjusting, lots=1)
        found.add(NAIVE, biased.unadjusted if isinstance(biased, Naive) else None)
        for day in LANDMARKS:
            at = landmarked(of, day, HORIZON, adjusting)
            found.add(f"landmark day {day:g}", at.adjusted if isinstance(at, Landmarked) else None)
        step(1)
    return found


def sit(folder: Path, advance: Advance, replicates: int = REPLICATES, patients: int = PATIENTS) -> list[Mark]:
    """The three truths: no effect, a quarter off the hazard, and no effect with unmeasured fitness."""
    step = Steps(advance, "cohorts with a known truth", 3 * replicates)
    nothing, quarter, fitter = (
        replicated(ratio, fitness, replicates, patients, step) for ratio, fitness in ((1.0, False), (0.75, False), (1.0, True))
    )
    return [*_null(nothing), *_quarter(quarter), *_fitness(fitter)]


def _null(found: Found) -> list[Mark]:
    marks = [Mark("no effect: naive hazard ratio", found.mean(NAIVE), most=0.6, note="shown as biased")]
    for name, ratios in found.ratios.items():
        if name != NAIVE:
            marks.append(Mark(f"no effect: {name}, mean hazard ratio", found.mean(name), 0.95, 1.05, f"{len(ratios)} cohorts"))
            marks.append(Mark(f"no effect: {name}, share of intervals that hold 1", found.covering(name, 1.0), COVERED))
    return marks


def _quarter(found: Found) -> list[Mark]:
    days = [name for name in found.ratios if name.startswith("landmark")]
    nearest = min(found.mean(name) for name in days)
    return [
        Mark("hazard ratio .75: time-dependent, mean", found.mean(TIME_DEPENDENT), 0.70, 0.80),
        Mark("hazard ratio .75: time-dependent, share of intervals that hold it", found.covering(TIME_DEPENDENT, 0.75)),
        Mark("hazard ratio .75: landmark less time-dependent", nearest - found.mean(TIME_DEPENDENT), 0.0, note="attenuated"),
        *(Mark(f"hazard ratio .75: {name}, mean", found.mean(name)) for name in days),
    ]


def _fitness(found: Found) -> list[Mark]:
    limits: Sequence[float] = [e_value(one.value, one.low, one.high).estimate for one in found.ratios[TIME_DEPENDENT]]
    return [
        Mark("unmeasured fitness: time-dependent, mean hazard ratio", found.mean(TIME_DEPENDENT), most=0.99, note="of nothing"),
        Mark("unmeasured fitness: share of intervals that hold 1", found.covering(TIME_DEPENDENT, 1.0)),
        Mark("unmeasured fitness: mean E-value", fmean(limits), least=1.0),
    ]
