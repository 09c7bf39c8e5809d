"""Which features a cohort can support: those it measured, that vary, and that were named in advance where deaths are few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.design import Design, columns_of
from models.features import FEATURES, Feature, site_feature
from models.patient import Patient
from training.cohort import Cohort

FEW_DEATHS = 250  # below: the linear learner with variables named in advance (method.md section 1)
LEAST_MEASURED = 0.25  # share of the patients it applies to in whom a feature must be measured
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

    Raises ValueError naming features that do not exist or that the cohort cannot support.
    """
    known = _known_features(cohort)
    if features is not None and (unknown := sorted(set(features) - set(known))):
        raise ValueError(f"features {', '.join(unknown)}: allowed are {', '.join(known)}")
    few = int(cohort.follow_up.deaths.sum()) < FEW_DEATHS
    wanted = list(features) if features is not None else [n for n in known if not few or n in NAMED_IN_ADVANCE]
    left_out = {} if features is not None else {n: f"fewer than {FEW_DEATHS} deaths: only variables named in advance" for n in known if n not in wanted}
    kept: list[str] = []
    levels: dict[str, tuple[str, ...]] = {}
    for name in wanted:
        reason, found = _support(known[name], cohort.patients)
        if reason:
            left_out[name] = reason
        else:
            kept.append(name)
            levels |= {name: found} if found else {}
    if features is not None and left_out:
        raise ValueError("; ".join(f"feature {name}: {reason}" for name, reason in left_out.items()))
    if not kept:
        raise ValueError("no feature is measured in at least a quarter of the patients: nothing can be learned")
    return Choice(columns_of(kept, levels), left_out, few and features is None)


def _known_features(cohort: Cohort) -> dict[str, Feature]:
    extra = cohort.file.extra if cohort.file else {}
    site = {f"extra.{name}": site_feature(name, kind == "categorical") for name, (_, kind) in extra.items()}
    return {**FEATURES, **site}


def _support(feature: Feature, patients: Sequence[Patient]) -> tuple[str, tuple[str, ...]]:
    """Why the cohort cannot support the feature (empty when it can), and the levels of a feature that has them."""
    if feature.scale == "level":
        counts = Counter(p.tumour if feature.name == "tumour" else str(p.extra.get(feature.name.removeprefix("extra."), "")) for p in patients)
        levels = tuple(sorted(level for level, n in counts.items() if n >= LEAST_LEVEL and level))
        return ("", levels) if len(levels) > 1 else (f"fewer than two levels with {LEAST_LEVEL} patients", ())
    readings = [feature.of(patient) for patient in patients]
    applicable = [r for r in readings if r.status != "not applicable"]
    values = [r.value for r in applicable if r.status == "measured"]
    if not applicable or len(values) < LEAST_MEASURED * len(applicable):
        return (f"measured in {len(values)} of {len(applicable)} patients it applies to: a quarter is needed", ())
    if len(values) < 2 * LEAST_LEVEL and len(values) < len(patients):
        return (f"measured in {len(values)} patients: {2 * LEAST_LEVEL} are needed", ())
    if feature.scale == "flag" and min(sum(v == 1 for v in values), sum(v == 0 for v in values)) < 5:
        return ("fewer than five patients with, or without", ())
    return ("it does not vary", ()) if np.ptp(values) < 1e-12 else ("", ())
