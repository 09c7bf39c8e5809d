"""What a question needs before it is answered: enough patients and deaths on both sides, or a refusal that says what is short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from training.small_cells import masked

LEAST_PATIENTS = 10  # in each group: fewer are never counted out either
LEAST_DEATHS = 10  # in each group
LEAST_PER_COVARIATE = 5  # deaths for each coefficient


@dataclass(frozen=True)
class Refused:
    """A question that these patients cannot answer, with the number that is missing; fit to leave the hospital."""

    why: str

    def as_json(self) -> dict[str, object]:
        """The refusal, JSON-ready."""
        return {"refused": self.why}


def short_of(patients: Mapping[str, int], deaths: Mapping[str, int]) -> Refused | None:
    """A refusal that names every group (of `patients` and of their `deaths`, by name) that is too small; None where none is."""
    short = [_short(name, count, "patients", LEAST_PATIENTS) for name, count in patients.items() if count < LEAST_PATIENTS]
    short += [_short(name, count, "deaths", LEAST_DEATHS) for name, count in deaths.items() if count < LEAST_DEATHS]
    return Refused("; ".join(short)) if short else None


def _short(name: str, count: int, what: str, least: int) -> str:
    return f"{masked(count)} {what} {name}: at least {least} are needed"


def short_for(coefficients: int, deaths: int) -> Refused | None:
    """A refusal where there are too few deaths for so many coefficients; None where there are enough.

    References
    ----------
    Vittinghoff, McCulloch. Am J Epidemiol 2007;165:710-718. doi:10.1093/aje/kwk052 (five to nine are enough to adjust)
    """
    least = LEAST_PER_COVARIATE * coefficients
    if deaths >= least:
        return None
    needed = f"at least {least} are needed ({LEAST_PER_COVARIATE} each)"
    return Refused(f"{masked(deaths)} deaths for {coefficients} coefficients: {needed}")
