"""Whether acting on a stated risk does more good than acting on nobody or on everybody, at a threshold a clinician would use.

Whoever acts at a risk of p holds one needless action as bad as (1 - p) / p missed deaths are. Net benefit counts the patients
rightly acted on, less those needlessly acted on at that rate of exchange, per patient. Acting on nobody is 0 at all thresholds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.statistics.censoring import Array
from training.statistics.estimates import Estimate
from training.statistics.flagging import FlaggedOutcome

THRESHOLDS = tuple(float(p) for p in np.arange(50, 601, 25) / 1000)  # 5 to 60 %


def net_benefit(of: FlaggedOutcome, thresholds: Array) -> Array:
    """Net benefit per patient of acting on whoever is flagged at each threshold (m,); NaN where their risk is not known.

    Under censoring the risk of those flagged is that of Kaplan-Meier within them. Nobody flagged: 0.

    References
    ----------
    Vickers, Elkin. Med Decis Making 2006;26:565-574. doi:10.1177/0272989X06295361
    Vickers, Cronin, Elkin, Gonen. BMC Med Inform Decis Mak 2008;8:53. doi:10.1186/1472-6947-8-53 (under censoring)
    """
    return np.asarray(np.where(of.share == 0, 0.0, of.share * _worth(of.risk, thresholds)))


def treat_all(of: FlaggedOutcome, thresholds: Array) -> Array:
    """Net benefit per patient of acting on everybody at each threshold (m,)."""
    return _worth(np.full(thresholds.shape, of.risk_of_everybody), thresholds)


def _worth(risk: Array, thresholds: Array) -> Array:
    return np.asarray(risk - (1.0 - risk) * thresholds / (1.0 - thresholds))


@dataclass(frozen=True)
class NetBenefit:
    """Net benefit per patient at one threshold: of the model, and of acting on everybody; of acting on nobody it is 0."""

    threshold: float
    model: Estimate
    treat_all: Estimate

    def as_json(self) -> dict[str, Any]:
        """As in `evaluate --json`."""
        return {"threshold": self.threshold, "model": self.model.as_json(), "treat_all": self.treat_all.as_json()}
