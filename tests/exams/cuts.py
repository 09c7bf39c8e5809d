"""Real cohorts whose follow-up is cut short a second time: what their risks are then said to be, held against the uncut curve.

A cut is a closing day: patients are taken to have entered evenly before it, so each is followed for a random time and no longer.
It is set so that a given share of the patients is lost before a year. Many cuts are drawn, and the mean of what is said is held
against the uncut Kaplan-Meier risk: the mean is what a method gets right or wrong. How far a single cut is off is told beside it.
A day that more than a tenth of the cuts cannot answer has no bar: the cuts that can are those in which few died.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from marks import Mark

from models.design import FloatArray
from training.cohort import read_cohort
from training.progress import Advance
from training.statistics.censoring import FollowUp, survival
from training.statistics.evaluate import evaluate
from training.statistics.evaluation import Naive

COHORTS = Path(__file__).parents[1] / "cohorts"
NAMES = ("chowell_train", "msk_nonicb", "pantheia", "pacto", "support2_lung")
TABLES = os.environ.get("LYMPHORISK_COHORTS")  # the folder of the real cohorts' tables
DAYS = (90.0, 180.0, 365.0)
YEAR = 365.0
LOST = (0.3, 0.5)  # shares of the patients lost before a year
CUTS, SEED = 200, 5
NEAR, ANSWERED = 0.01, 0.9


def sit(
    folder: Path, advance: Advance, names: Sequence[str] = NAMES, lost: Sequence[float] = LOST, cuts: int = CUTS
) -> list[Mark]:
    """Cut every cohort so often for every share; nothing where the tables are not at hand."""
    if TABLES is None:
        return []
    marks: list[Mark] = []
    for place, name in enumerate(names):
        follow_up = read_cohort(COHORTS / f"{name}.toml", data=Path(TABLES)).follow_up
        for share in lost:
            marks += _marks(f"{name}, {share:.0%} lost before a year", follow_up, share, cuts)
        advance("cohorts cut short", place + 1, len(names))
    return marks


def _marks(who: str, follow_up: FollowUp, share: float, cuts: int) -> list[Mark]:
    random, longest = np.random.default_rng(SEED), closing(follow_up, share)
    drawn = [said(cut(follow_up, random.uniform(0, longest, len(follow_up)))) for _ in range(cuts)]
    return [_mark(who, day, follow_up, [one[day] for one in drawn if day in one], cuts) for day in DAYS]


def _mark(who: str, day: float, follow_up: FollowUp, found: Sequence[Naive], cuts: int) -> Mark:
    what, truth = f"{who}: mean error of the risk by day {day:g}", float(1 - survival(follow_up).at(day))
    if not found:
        return Mark(what, float("nan"), note="no cut left a follow-up that answers it")
    weighted, dropped, alive = (np.array([getattr(one, way) for one in found]) for way in ("weighted", "dropped", "called_alive"))
    note = f"truth {truth:.3f}; dropping says {dropped.mean():.3f}, calling alive {alive.mean():.3f}; "
    note += f"one cut is off by {np.abs(weighted - truth).mean():.3f}; answered in {len(found)} of {cuts} cuts"
    bar = {"least": -NEAR, "most": NEAR} if len(found) >= ANSWERED * cuts else {}
    return Mark(what, float(weighted.mean() - truth), note=note, **bar)


def closing(follow_up: FollowUp, share: float) -> float:
    """The closing day (days after the first entry) by which such a share of patients is, on average, lost before a year."""
    return float(np.minimum(follow_up.times, YEAR).mean() / share)


def cut(follow_up: FollowUp, closed: FloatArray) -> FollowUp:
    """The follow-up, closed for each patient on a day of its own (n,)."""
    return FollowUp(np.minimum(follow_up.times, closed), follow_up.deaths & (follow_up.times <= closed))


def said(follow_up: FollowUp) -> dict[float, Naive]:
    """What an evaluation says of the share dead by each day it may answer; the stated risks play no part in that."""
    nothing = np.zeros((len(follow_up), len(DAYS)))
    found = evaluate(nothing + 0.5, nothing, follow_up, DAYS, bootstrap=0, seed=SEED)
    return {day: one.naive for day, one in found.horizons.items()}
