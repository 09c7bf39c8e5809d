"""For whom a model is meant: whom it refuses, and who lies outside the population it was developed in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from models.courses import running
from models.fault import Fault
from models.neutrophils import now
from models.patient import STALE_DAYS, Patient
from models.tumours import HAEMATOLOGICAL, LABELS

TIME_ORIGIN = "the decision to start the next line of treatment"
ADULT = 18.0  # years
ACUTE_ANC = 0.5  # 10*9/L: below it an acute state, in which no count is prognostic (clinical.md section 5)
BEHIND = 20  # deaths that must stand behind a stratum before it counts as inside
RUNNING_DAYS = 7.0  # a line running longer than this at the index date has passed the time origin


class Ineligible(ValueError):
    """A readable patient for whom no model of this kind is meant; `faults` names every reason."""

    def __init__(self, faults: list[Fault]):
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, faults)))


def ineligibility(patient: Patient, *, followed: bool = False) -> list[Fault]:
    """Every reason for which no model of this kind may score the patient; none is an empty list.

    `followed`: the model scores patients who are followed, at a landmark; a line may run then.
    """
    reasons = []
    if patient.age_years < ADULT:
        reasons.append(Fault("age_years", f"{patient.age_years:g}", "18 years or older: the models are for adults"))
    if patient.tumour == HAEMATOLOGICAL:
        reasons.append(Fault("tumour", patient.tumour, "a solid tumour: haematological malignancies are out of scope"))
    reasons += _acute(patient)
    for course in () if followed else running(patient.treatments, RUNNING_DAYS):
        allowed = f"no line running for more than {RUNNING_DAYS:g} days; day 0 is {TIME_ORIGIN}"
        reasons.append(Fault("treatments", f"a line running since day {-course.start_days_before:g}", allowed))
    return reasons


def _acute(patient: Patient) -> list[Fault]:
    """The acute state, once: by the count of neutrophils, else by all white cells or what the NLR implies."""
    for found in now(patient):
        if found.below(ACUTE_ANC):
            allowed = "0.5 10*9/L or more: below is an acute state, to be scored after recovery"
            if found != patient.current("anc"):
                words = "all white cells" if found.analyte == "wbc" else found.given
                allowed += f" (neutrophils not counted; told by {words})"
            return [Fault("anc", f"{found.value:g} 10*9/L", allowed)]
    return []


@dataclass(frozen=True)
class Population:
    """The development population: deaths behind each tumour and behind having or not having had a prior line.

    A group that is not there has fewer than ten: how many is kept where the model was developed. `landmarks`: the days after the
    index date on which its patients were seen; a model without any scores patients on the index date alone. `carried`: the
    days that a value may be old and still be the current one.
    """

    deaths_by_tumour: Mapping[str, int] = field(default_factory=dict)
    deaths_by_prior_line: Mapping[str, int] = field(default_factory=dict)  # "yes", "no", "unknown"
    time_origin: str = TIME_ORIGIN
    landmarks: tuple[float, ...] = ()
    carried: float = STALE_DAYS

    def seen(self, patient: Patient) -> Patient:
        """The patient as a model of this population sees him, or Ineligible with every reason why it may not score him."""
        reasons = ineligibility(patient, followed=bool(self.landmarks))
        if self.landmarks and patient.landmark is None:
            allowed = "the day on which the follow-up began: this model scores patients at a landmark after it"
            reasons.append(Fault("index_date", "nothing", allowed))
        if reasons:
            raise Ineligible(reasons)
        return replace(patient, carried=self.carried) if patient.carried != self.carried else patient

    def outside(self, patient: Patient) -> list[str]:
        """Why the patient lies outside the development population; empty when inside.

        A stratum with fewer than 20 development deaths behind it cannot be called developed in.
        """
        reasons = list(self._too_late(patient))
        deaths = self.deaths_by_tumour.get(patient.tumour)
        if deaths is None or deaths < BEHIND:
            label = LABELS.get(patient.tumour, patient.tumour)
            reasons.append(f"{_few(deaths)} development deaths with a {label} tumour stand behind the model (20 are needed)")
        line = prior_line(patient)
        deaths = self.deaths_by_prior_line.get(line)
        if (deaths is None or deaths < BEHIND) and line != "unknown":
            words = "no prior line" if line == "no" else "a prior line"
            reasons.append(f"{_few(deaths)} development deaths with {words} stand behind the model (20 are needed)")
        return reasons


    def _too_late(self, patient: Patient) -> Iterator[str]:
        last = max(self.landmarks, default=math.inf)
        if patient.landmark is not None and patient.landmark > last:
            yield f"day {patient.landmark:g} after the index date lies beyond the last landmark of the model, day {last:g}"


def _few(deaths: int | None) -> str:
    return "fewer than 10" if deaths is None else f"only {deaths}"


def prior_line(patient: Patient) -> str:
    """Whether the patient had a prior systemic line: yes, no or unknown."""
    treated = patient.history.prior_systemic_therapy
    return "unknown" if treated is None else "yes" if treated else "no"
