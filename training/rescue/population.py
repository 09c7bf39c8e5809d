"""Whom the analysis of recovery is about: adults with a solid tumour that progressed after a first line, with few lymphocytes.

The first part is the wording of an expanded-access description, used as a filter on a cohort and as nothing else: it decides
about no patient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from models.courses import SYSTEMIC
from models.lymphopenia import BOUNDARIES
from models.patient import Patient
from models.population import ADULT, prior_line
from models.tumours import HAEMATOLOGICAL
from training.cohort import Step
from training.histories import Histories, History
from training.reading.flow import flow_diagram
from training.refused import NotSupported
from training.rescue.person import Person, person_of

CUT_OFFS = (0.5, 0.8, 1.0, 1.2, 1.5)  # 10*9/L: those in circulation (clinical.md section 1), by which a cohort may be asked
NOT_COUNTED = "no lymphocyte count at most 28 days old on the index date that says on which side of the cut-off it lies"


@dataclass(frozen=True)
class Lymphopenic:
    """Those whose count was below the `cut_off` (10*9/L) on the index date, and how they came to be those.

    `counts`: ALC of the index date of everybody who matches the key and was counted, from whom the low ones were taken.
    `by_cut_off` and `by_grade`: how many lie below each cut-off, and how many of CTCAE grade 1 to 4.
    """

    cut_off: float
    people: tuple[Person, ...] = field(repr=False)
    flow: tuple[Step, ...]
    counts: tuple[float, ...] = field(repr=False)
    draws: tuple[tuple[tuple[float, float], ...], ...] = field(repr=False)  # the later counts of all of them
    by_cut_off: Mapping[float, int]
    by_grade: Mapping[int, int]


def lymphopenic(histories: Histories, cut_off: float, *, everybody: bool = False) -> Lymphopenic:
    """The people of the analysis; `everybody` leaves out the population key and keeps the question of lymphocytes.

    Raises NotSupported for another cut-off, or where nobody is left; the flow diagram says why.
    """
    require_cut_off(cut_off)
    left: dict[str, list[Patient | None]] = {} if everybody else {reason: [] for reason, _ in KEY}
    left |= {NOT_COUNTED: [], not_low(cut_off): []}
    kept, counted = list[tuple[Patient, Person]](), list[Person]()
    for history in histories:
        reason, person = _place(history, cut_off, everybody)
        counted += [] if person is None else [person]
        if reason:
            left[reason].append(history.at_index)
        elif person is not None:
            kept.append((history.at_index, person))
    flow = flow_diagram([patient for patient, _ in kept], left)
    if not kept:
        gone = "; ".join(f"{len(patients)} {reason}" for reason, patients in left.items() if patients)
        hint = "" if everybody else "; --everybody leaves out the population key"
        raise NotSupported(f"nobody is left to be analysed: {gone or 'the cohort is empty'}{hint}")
    people = tuple(person for _, person in kept)
    return Lymphopenic(
        cut_off=cut_off,
        people=people,
        flow=flow,
        counts=tuple(one.alc for one in counted),
        draws=tuple(one.counts for one in counted),
        by_cut_off={one: sum(each.alc < one for each in counted) for one in CUT_OFFS},
        by_grade={grade: sum(_grade(each) == grade for each in people) for grade in range(len(BOUNDARIES) + 1)},
    )


def require_cut_off(cut_off: float) -> None:
    """Raise NotSupported for a cut-off (10*9/L) that nobody uses."""
    if cut_off not in CUT_OFFS:
        allowed = ", ".join(f"{one:g}" for one in CUT_OFFS)
        raise NotSupported(f"cut-off {cut_off:g}: allowed are {allowed} 10*9/L; likely cells/uL, to be divided by 1000")


def not_low(cut_off: float) -> str:
    """Why somebody whose lymphocytes were not low leaves the analysis."""
    return f"ALC of {cut_off:.1f} 10*9/L or more on the index date"


def _place(history: History, cut_off: float, everybody: bool) -> tuple[str, Person | None]:
    """Why a patient is not in the analysis, "" where he is; and what the analysis knows of whoever was counted."""
    reason = "" if everybody else next((why for why, fails in KEY if fails(history.at_index)), "")
    if reason:
        return reason, None
    person = person_of(history, cut_off)
    if person is None:
        return NOT_COUNTED, None
    return ("" if person.alc < cut_off else not_low(cut_off)), person


def _grade(person: Person) -> int:
    return sum(person.alc < boundary for boundary in BOUNDARIES)


def progressed(patient: Patient) -> bool | None:
    """Whether a systemic line before the index date ended by progression, as far as any outcome is told."""
    told = [one.outcome for one in patient.treatments if one.modality in SYSTEMIC and one.end_days_before is not None]
    told += [patient.history.last_line_outcome or "unknown"]
    if "progression" in told:
        return True
    return None if "unknown" in told else False


KEY: Sequence[tuple[str, Callable[[Patient], bool]]] = (
    (f"younger than {ADULT:g} years", lambda one: one.age_years < ADULT),
    ("haematological malignancy", lambda one: one.tumour == HAEMATOLOGICAL),
    ("no prior systemic line", lambda one: prior_line(one) == "no"),
    ("not known whether there was a prior systemic line", lambda one: prior_line(one) == "unknown"),
    ("no progression after a prior line", lambda one: progressed(one) is False),
    ("not known whether a prior line ended by progression", lambda one: progressed(one) is None),
)
