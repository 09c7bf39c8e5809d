"""Which features a cohort can support: those it measured, that vary, and that were named in advance where deaths are few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.design import Design, columns_of
from models.features import FEATURES, OF_THE_INDEX_DATE, Feature, Reading, level_of, site_feature
from models.patient import Patient
from training.cohort import Cohort
from training.refused import NotSupported

FEW_DEATHS = 250  # below: the linear learner with variables named in advance (method.md section 1)
LEAST_MEASURED = 0.25  # share of the patients it applies to in whom a feature must be measured
LEAST_FLAG = 5  # patients with, and without
LEAST_LEVEL = 20  # patients a level must have to get a column of its own
# Named before any cohort was seen: the burden, the counts and the history this product exists for, albumin (the strongest single
# predictor) and age. Method.md section 2: inside one tumour four variables are as good as eleven.
NAMED_IN_ADVANCE = ("ln_alc", "ln_nlr", "ca19_9_log10", "ca19_9_undetectable", "albumin", "prior_systemic_therapy", "age")


@dataclass(frozen=True)
class Choice:
    """The design, and why each feature that is not in it was left out."""

    design: Design
    left_out: Mapping[str, str]
    named_in_advance: bool


def choose_design(cohort: Cohort, features: Sequence[str] | None = None) -> Choice:
    """The design matrix's columns for a cohort; `features` names them, otherwise all that the cohort supports.

    With few deaths and no names given only NAMED_IN_ADVANCE are asked. Raises NotSupported naming every feature that does not
    exist or that the cohort cannot support.
    """
    known = _known_features(cohort)
    if unknown := sorted(set(features or ()) - set(known)):
        raise NotSupported(f"features {', '.join(unknown)}: allowed are {', '.join(known)}")
    few = features is None and int(cohort.follow_up.deaths.sum()) < FEW_DEATHS
    wanted = known if features is None else dict.fromkeys(features)
    left_out: dict[str, str] = {}
    levels: dict[str, tuple[str, ...]] = {}
    for name in wanted:
        left_out[name], levels[name] = _support(known[name], cohort.patients)
        if few and name not in NAMED_IN_ADVANCE:
            left_out[name] = f"fewer than {FEW_DEATHS} deaths: only variables named in advance"
    kept = [name for name in wanted if not left_out[name]]
    left_out = {name: reason for name, reason in left_out.items() if reason}
    if features is not None and left_out:
        raise NotSupported("; ".join(f"feature {name}: {reason}" for name, reason in left_out.items()))
    if not kept:
        raise NotSupported("no feature is measured in at least a quarter of the patients: nothing can be learned")
    return Choice(columns_of(kept, {name: levels[name] for name in kept if levels[name]}), left_out, few)


def _known_features(cohort: Cohort) -> dict[str, Feature]:
    extra = cohort.file.extra if cohort.file else {}
    site = {f"extra.{name}": site_feature(name, kind == "categorical") for name, (_, kind) in extra.items()}
    followed = any(patient.landmark is not None for patient in cohort.patients)
    return {**(FEATURES if followed else OF_THE_INDEX_DATE), **site}


def _support(feature: Feature, patients: Sequence[Patient]) -> tuple[str, tuple[str, ...]]:
    """Why the cohort cannot support the feature (empty when it can), and the levels of a feature that has them."""
    if feature.scale == "level":
        counts = Counter(level for patient in patients if (level := level_of(feature, patient)) is not None)
        levels = tuple(sorted(level for level, n in counts.items() if n >= LEAST_LEVEL))
        return ("" if len(levels) > 1 else f"fewer than two levels with {LEAST_LEVEL} patients", levels)
    found = [(patient.landmark, reading) for patient in patients if (reading := feature.of(patient)).status != "not applicable"]
    values = [reading.value for _, reading in found if reading.status == "measured"]
    return _shortage(feature, values, len(found), len(patients)) or _at_a_landmark(found), ()


def _at_a_landmark(found: Sequence[tuple[float | None, Reading]]) -> str:
    """Why a feature is not known on every landmark: what only the index date tells would be an estimate on all later days.

    An estimate from today's counts passes on what the counts say, and with no clinical sign of its own could turn it round.
    """
    applicable = Counter(day for day, _ in found)
    measured = Counter(day for day, reading in found if reading.status == "measured")
    for day, n in sorted(applicable.items(), key=lambda item: item[0] or 0.0):
        if day is not None and n >= LEAST_LEVEL and measured[day] < LEAST_MEASURED * n:
            said = f"measured in {measured[day]} of {n} patients it applies to on day {day:g}"
            return f"{said}: a quarter is needed on each landmark"
    return ""


def _shortage(feature: Feature, values: Sequence[float], applicable: int, patients: int) -> str:
    if not values or len(values) < LEAST_MEASURED * applicable:
        return f"measured in {len(values)} of {applicable} patients it applies to: a quarter is needed"
    if len(values) < min(2 * LEAST_LEVEL, patients):
        return f"measured in {len(values)} patients: {2 * LEAST_LEVEL} are needed"
    if np.ptp(values) == 0:
        return "it does not vary"
    if feature.scale == "flag" and min(values.count(1.0), values.count(0.0)) < LEAST_FLAG:
        return f"fewer than {LEAST_FLAG} patients with, or without"
    return ""
