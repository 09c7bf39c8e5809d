"""How far the stated risks lie from what happened, and how much nearer than the same risk for everybody would lie."""

from training.statistics.censoring import Array, Flags
from training.statistics.estimates import NotEstimable


def brier(risk: Array, dead: Flags, weight: Array) -> float:
    """The mean squared distance between risk (n,) and death by the horizon, weighted for censoring: 0 is perfect.

    The mean is over the sum of the weights (n,), which is n unless one was truncated. Raises NotEstimable.

    References
    ----------
    Graf, Schmoor, Sauerbrei, Schumacher. Stat Med 1999;18:2529-2545.
    """
    total = float(weight.sum())
    if not total > 0:
        raise NotEstimable("a Brier score needs a patient whose state at the horizon is known")
    return float(weight @ (risk - dead) ** 2) / total


def ipa(risk: Array, dead: Flags, weight: Array, observed_risk: float) -> float:
    """The index of prediction accuracy: 1 - Brier / Brier of giving everybody the Kaplan-Meier risk `observed_risk`.

    1 is perfect, 0 is as good as knowing nothing of the patient, below 0 is harmful. Raises NotEstimable.

    References
    ----------
    Kattan, Gerds. Diagn Progn Res 2018;2:7. doi:10.1186/s41512-018-0029-2
    """
    null = brier(0.0 * risk + observed_risk, dead, weight)
    if not null > 0:
        raise NotEstimable("an IPA needs patients of both kinds: all of those known died, or none did")
    return 1.0 - brier(risk, dead, weight) / null
