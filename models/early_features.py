"""What says more of the first months than of later ones: a value that counts less the later the landmark.

One model for all landmarks has to let an effect fade. Beside a value stands the same value times the share of half a year that is
still to come: both carry the clinical sign, so that whatever the landmark, the effect keeps its direction.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.feature import NOT_APPLICABLE, Feature, Reading
from models.patient import Patient

FADED = 180.0  # days after the index date: by then nothing is left of the part that fades
FADING = ("ln_alc", "ln_nlr", "ca19_9_log10", "ln_ldh_ratio", "albumin", "ecog")


def early_features(known: Mapping[str, Feature]) -> tuple[Feature, ...]:
    """The fading part of each of FADING."""
    return tuple(_early(known[name]) for name in FADING)


def _early(feature: Feature) -> Feature:
    def read(patient: Patient) -> Reading:
        if patient.landmark is None:
            return NOT_APPLICABLE
        found = feature.of(patient)
        left = max(1.0 - patient.landmark / FADED, 0.0)
        return Reading(found.value * left) if found.status == "measured" else found

    label = f"{feature.label}, as long as the index date is near"
    return Feature(f"{feature.name}_early", label, feature.group, "1", read, feature.sign, "identity", feature.analyte)
