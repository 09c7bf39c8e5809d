"""How many neutrophils a patient can have: as counted, at most all the white cells, or as the NLR itself implies.

With few neutrophils the NLR is low whatever the lymphocytes do, so it must reassure nobody. Where a count (or all white cells)
below 1.0 10*9/L says so, the ratio is not interpretable, whatever it is, and is estimated from the rest. Where nobody but the
ratio says so (NLR x ALC below 1.0), there is no honest number: an estimate would let the risk fall as a ratio rises across the
line, and the ratio at the line would reassure. Such a patient is `undecided`, and the service asks for the count.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.measurements import ALC_FLOOR, Measurement, joint
from models.patient import Patient

NEUTROPENIA = 1.0  # 10*9/L: a ratio with fewer neutrophils reassures nobody
NLR_CAP = 40.0  # larger ratios carry no more information (clinical.md section 5: cap 25-40 for modelling)


def neutropenic(patient: Patient, ratio: Measurement | None = None) -> bool:
    """Whether neutrophils are, or may be, below 1.0 10*9/L now or were in the draw of `ratio`: its NLR then reassures nobody."""
    found = implied(patient, ratio) if ratio else None
    return _counted_few(patient, ratio) or (found is not None and _few(found))


def undecided(patient: Patient) -> bool:
    """Whether it is the current NLR alone that implies neutrophils below 1.0 10*9/L: their count must be asked for."""
    ratio = patient.current("nlr")
    found = implied(patient, ratio) if ratio else None
    return found is not None and found.below(NEUTROPENIA) and not _counted_few(patient, ratio)


def now(patient: Patient) -> list[Measurement]:
    """What bounds the neutrophils from above now: their count, and what is newer than it (white cells, an implied count)."""
    count, ratio = patient.current("anc"), patient.current("nlr")
    found = implied(patient, ratio) if ratio else None
    newer = (one for one in (patient.current("wbc"), found) if one and not _dated_by(one, count))
    return [*([count] if count else []), *newer]


def implied(patient: Patient, ratio: Measurement) -> Measurement | None:
    """The neutrophils that an NLR implies where its draw has no count of them: NLR x ALC, at most WBC x NLR / (1 + NLR)."""
    day = ratio.days_before_index
    if patient.on_day("anc", day):
        return None
    return min(_implied(patient, ratio, day), key=lambda bound: bound.value, default=None)


def _implied(patient: Patient, ratio: Measurement, day: float) -> Iterator[Measurement]:
    if alc := patient.on_day("alc", day):
        value = ratio.value * max(alc.value, ALC_FLOOR)
        yield Measurement("anc", value, day, joint(ratio.limit, alc.limit), given="NLR x ALC")
    if wbc := patient.on_day("wbc", day):  # neutrophils and lymphocytes together are no more than all white cells
        value = wbc.value * ratio.value / (1.0 + ratio.value)
        yield Measurement("anc", value, day, joint(ratio.limit, wbc.limit), given="NLR and white cells")


def _counted_few(patient: Patient, ratio: Measurement | None) -> bool:
    count, cells = patient.current("anc"), patient.current("wbc")
    bounds = [count, None if cells and _dated_by(cells, count) else cells]
    if ratio:
        day = ratio.days_before_index
        bounds.append(patient.on_day("anc", day) or patient.on_day("wbc", day))
    return any(one is not None and _few(one) for one in bounds)


def _few(count: Measurement) -> bool:
    """Whether it is below 1.0 or may be: "<1.5" is not known to be more."""
    return count.limit == "<" or count.below(NEUTROPENIA)


def _dated_by(one: Measurement, count: Measurement | None) -> bool:
    """Whether a count as new as `one` makes it needless."""
    return count is not None and count.days_before_index <= one.days_before_index
