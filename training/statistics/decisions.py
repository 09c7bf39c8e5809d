"""What comes of acting on the stated risks of one model at one horizon: net benefit and flagging, in one sample after another."""

from collections.abc import Hashable, Iterator, Mapping
from functools import cached_property

import numpy as np

from training.small_cells import SMALLEST
from training.statistics.censoring import Array, FollowUp
from training.statistics.estimates import Estimate, NotEstimable
from training.statistics.flagging import FLAG_RATES, Flagged, FlaggedOutcome, FlagRate, thresholds_of
from training.statistics.net_benefit import THRESHOLDS, NetBenefit, net_benefit, treat_all
from training.statistics.panel import Scored

Measured = dict[Hashable, float | NotEstimable]
_EACH = ("sensitivity", "ppv", "number_needed_to_evaluate")


class Decisions:
    """Who is acted on at each threshold and at each flag rate, prepared once."""

    def __init__(self, scored: Scored, follow_up: FollowUp):
        self.rates = thresholds_of(scored.risk, FLAG_RATES)
        self.thresholds = np.array(THRESHOLDS)
        every = np.concatenate([self.thresholds, self.rates])
        self.flagged = Flagged(scored.risk, every, follow_up, scored.horizon)

    def measure(self, multiplicity: Array) -> Measured:
        """Every figure by its name, in the sample that counts each row `multiplicity` (n,) times."""
        of = self.flagged.outcome(multiplicity)
        at, rate = _part(of, slice(0, len(THRESHOLDS))), _part(of, slice(len(THRESHOLDS), None))
        with np.errstate(divide="ignore"):
            needed = 1.0 / rate.risk
        found: dict[str, Array] = {
            "model": net_benefit(at, self.thresholds),
            "treat_all": treat_all(at, self.thresholds),
            "sensitivity": rate.sensitivity,
            "ppv": rate.risk,
            "number_needed_to_evaluate": needed,
        }
        each = ((name, k, value) for name, values in found.items() for k, value in enumerate(values.tolist()))
        return {(name, k): self._told(name, k, value) for name, k, value in each}

    def _told(self, name: str, k: int, value: float) -> float | NotEstimable:
        place = k if name in ("model", "treat_all") else k + len(THRESHOLDS)
        if name != "treat_all" and self.flagged.few[place]:
            return self._few
        return value if np.isfinite(value) else self._unseen

    @cached_property
    def _few(self) -> NotEstimable:
        return NotEstimable(f"fewer than {SMALLEST} patients are flagged, or are not: too few to be told of")

    @cached_property
    def _unseen(self) -> NotEstimable:
        return NotEstimable(f"nobody flagged died, or was followed to day {self.flagged.horizon:g}")

    def net_benefit(self, estimates: Mapping[Hashable, Estimate]) -> Iterator[NetBenefit]:
        """The decision curve, from what `measure` named."""
        for k, threshold in enumerate(THRESHOLDS):
            yield NetBenefit(threshold, estimates["model", k], estimates["treat_all", k])

    def flagging(self, estimates: Mapping[Hashable, Estimate]) -> Iterator[FlagRate]:
        """What each flag rate finds and costs, from what `measure` named."""
        shares = self.flagged.counts[len(THRESHOLDS) :] / self.flagged.risk.size
        for k, rate in enumerate(FLAG_RATES):
            yield FlagRate(rate, float(shares[k]), float(self.rates[k]), *(estimates[name, k] for name in _EACH))


def _part(of: FlaggedOutcome, places: slice) -> FlaggedOutcome:
    return FlaggedOutcome(of.share[places], of.risk[places], of.risk_of_rest[places], of.risk_of_everybody)
