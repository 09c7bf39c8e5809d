"""What was found when a model's risks were judged, horizon by horizon, and how it is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.statistics.estimates import Estimate
from training.statistics.flagging import FlagRate
from training.statistics.net_benefit import NetBenefit
from training.statistics.standing import Standing


@dataclass(frozen=True)
class CurvePoint:
    """The smoothed risk that came true where `stated` was the risk that was stated; its interval holds at this point alone."""

    stated: float
    observed: Estimate

    def as_json(self) -> dict[str, Any]:
        """Stated, observed, low and high, ready to be drawn."""
        return {"stated": self.stated, "observed": self.observed.value, "low": self.observed.low, "high": self.observed.high}


@dataclass(frozen=True)
class Calibration:
    """Intercept (ideal 0), slope (1), observed over expected deaths (1), and distance from the calibration curve (0).

    A distance cannot be negative, so the intervals of ICI, E50 and E90 lie high: read their upper end.
    """

    intercept: Estimate
    slope: Estimate
    observed_expected: Estimate
    ici: Estimate
    e50: Estimate
    e90: Estimate
    curve: Sequence[CurvePoint] = ()

    def as_json(self) -> dict[str, Any]:
        """As in `evaluate --json`; a curve that these patients do not determine has no points."""
        names = ("intercept", "slope", "observed_expected", "ici", "e50", "e90")
        curve = [point.as_json() for point in self.curve if point.observed.value is not None]
        return {name: getattr(self, name).as_json() for name in names} | {"curve": curve}


@dataclass(frozen=True)
class Naive:
    """The share dead by the horizon, `weighted` for censoring (Kaplan-Meier), and as two wrong ways would have said it:
    had the patients lost before been `dropped`, which says too much, or `called_alive`, which says too little.
    """

    weighted: float
    dropped: float
    called_alive: float


@dataclass(frozen=True)
class AtHorizon:
    """Everything measured at one horizon, and the standing that allowed it."""

    standing: Standing
    auc: Estimate
    brier: Estimate
    ipa: Estimate
    calibration: Calibration
    net_benefit: Sequence[NetBenefit]
    flagging: Sequence[FlagRate]
    naive: Naive

    def as_json(self) -> dict[str, Any]:
        """Counts and statistics in the shape of `evaluate --json`."""
        counts = {name: getattr(self.standing, name) for name in ("deaths", "survivors", "censored_before", "min_g")}
        fit = {name: getattr(self, name).as_json() for name in ("auc", "brier", "ipa", "calibration")}
        use = {name: [each.as_json() for each in getattr(self, name)] for name in ("net_benefit", "flagging")}
        return {**counts, **fit, **use, "naive": dict(vars(self.naive))}


@dataclass(frozen=True)
class UnoC:
    """Uno's C of the log-odds at horizon `tau` (days), over the deaths until then."""

    estimate: Estimate
    tau: float

    def as_json(self) -> dict[str, Any]:
        """Value, low, high and tau."""
        return {**self.estimate.as_json(), "tau": self.tau}


@dataclass(frozen=True)
class Evaluation:
    """A model's risks judged on `n` patients: per horizon (days), and why the other horizons are refused."""

    n: int
    uno_c: UnoC | None
    horizons: Mapping[float, AtHorizon]
    refused: Mapping[float, Standing]

    def as_json(self) -> dict[str, Any]:
        """The shape of `evaluate --json`, without the cohort's name."""
        return {
            "n": self.n,
            "uno_c": None if self.uno_c is None else self.uno_c.as_json(),
            "horizons": {f"{day:g}": each.as_json() for day, each in self.horizons.items()},
            "refused": {f"{day:g}": f"{each.level}: {each.why}" for day, each in self.refused.items()},
        }
