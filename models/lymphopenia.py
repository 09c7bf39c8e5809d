"""How low the lymphocytes are: the CTCAE grade of the newest count, and since when they have been below normal."""

from __future__ import annotations

from dataclasses import dataclass

from models.patient import Measurement, Patient

LOWER_LIMIT = 1.0  # 10*9/L; laboratories use 1.0 to 1.5
BOUNDARIES = (LOWER_LIMIT, 0.8, 0.5, 0.2)  # 10*9/L: a value on a boundary belongs to the milder grade


@dataclass(frozen=True)
class Lymphopenia:
    """CTCAE grade 0 (none) to 4; `since_days` before the index date: the earliest of the unbroken run of low counts."""

    grade: int
    since_days: float | None

    def sentence(self) -> str:
        """What a clinician reads of it."""
        if self.since_days is None:
            return f"no lymphopenia: the newest lymphocyte count is not below {LOWER_LIMIT:g} 10*9/L"
        days = f"{self.since_days:g} {'day' if self.since_days == 1 else 'days'}"
        since = "on the index date" if self.since_days == 0 else f"since at least {days} before the index date"
        return f"lymphopenia, CTCAE grade {self.grade}, {since}"


def lymphopenia(patient: Patient) -> Lymphopenia | None:
    """The grade of the current count, or None where none is at most 28 days old.

    References
    ----------
    Common Terminology Criteria for Adverse Events 5.0, National Cancer Institute 2017: lymphocyte count decreased.
    """
    now = patient.current("alc")
    if now is None:
        return None
    since = None
    for draw in patient.series["alc"]:
        if not _grade(draw):
            break
        since = draw.days_before_index
    return Lymphopenia(_grade(now), since)


def _grade(alc: Measurement) -> int:
    # "<0.5" lies below .5, and ">0.5" says no more than that it lies above
    return sum(alc.value <= limit if alc.limit == "<" else alc.value < limit for limit in BOUNDARIES)
