"""When a CA19-9 is a measure of the tumour's burden, and when it is none: undetectable, or with a blocked bile duct."""

from __future__ import annotations

from models.patient import Measurement, Patient

UNDETECTABLE = 2.0  # U/mL: at or below, a stratum of its own, possibly a Lewis-negative non-secretor
BILIRUBIN_ULN = 20.5  # umol/L (1.2 mg/dL), taken where the laboratory's own limit is not given
CHOLESTASIS = 2.0  # times the upper limit of normal: CA19-9 is then no measure of burden


def undetectable(ca19_9: Measurement) -> bool:
    """Whether a CA19-9 is "<x", 0 or at most 2 U/mL: a stratum of its own, never a low burden."""
    return ca19_9.limit == "<" or ca19_9.value <= UNDETECTABLE


def cholestasis(patient: Patient) -> bool:
    """Whether bilirubin exceeds twice its upper limit of normal."""
    bilirubin = patient.current("bilirubin")
    return bilirubin is not None and bilirubin.value > CHOLESTASIS * (bilirubin.uln or BILIRUBIN_ULN)
