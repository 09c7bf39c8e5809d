"""For whom a number is meant and how far it may be believed: the words that open every answer."""

from __future__ import annotations

from models.artifact import Artifact
from models.calibration_at_site import calibration_words
from models.example import EXAMPLE
from models.patient import Patient
from models.population import TIME_ORIGIN
from models.risk import RiskModel

FIXED = (  # stands on every output: page, card, resource, file, receipt
    "For clinicians, beside their own judgement; not for patients' own use.",
    "Not by itself a reason to give or to withhold treatment: it advises for or against none.",
    "Check infection, steroids and biliary obstruction first: each moves these values for a time.",
    "Prognostic: what is associated with the risk in patients like these, not what causes it; it does not say that changing a "
    "value would change survival.",
    "What its regulatory status is, the institution that deploys it must establish.",
)
DISCLAIMER = " ".join(FIXED)


def standing(artifact: Artifact, patient: Patient, site: str = "") -> list[str]:
    """What must be known before the number is read; of a model of simulated patients, that first of all."""
    model = artifact.model
    calibration = calibration_words(model, artifact.at_site, site)
    return [*opening(model), *_outside(model, patient), *_model_standing(model, calibration), *released(artifact)]


def opening(model: RiskModel) -> list[str]:
    """The words with which every output of a model of simulated patients begins."""
    return [EXAMPLE] if model.simulated else []


def example(model: RiskModel) -> dict[str, object]:
    """The same words as the first key of a JSON object; nothing for a model of real patients."""
    return {"example": EXAMPLE} if model.simulated else {}


def released(artifact: Artifact) -> list[str]:
    """Who says to have brought the model to patients, in words; nothing for a model that was not promoted."""
    if (told := artifact.promotion) is None:
        return []
    kind = "" if told.champion else "an earlier release, not the champion; "
    who = f"by {told.by}, approved by {told.approved_by}{', each by a key of their own' if told.proved else ''}"
    return [f"{kind}promoted {told.time[:10]} {who} (entry {told.sequence} of the ledger)"]


def release(artifact: Artifact) -> dict[str, object]:
    """For JSON, to be added to what is said of the model: its promotion, and what the ledger knows of it at this site."""
    promoted: dict[str, object] = {} if artifact.promotion is None else {"release": artifact.promotion.as_json()}
    return promoted if artifact.at_site is None else promoted | {"calibration": artifact.at_site.as_json()}


def _outside(model: RiskModel, patient: Patient) -> list[str]:
    return [f"outside the development population: {reason}" for reason in model.population.outside(patient)]


def _model_standing(model: RiskModel, calibration: str) -> list[str]:
    said = [
        f"for adults with a relapsed or refractory solid tumour, at {model.population.time_origin or TIME_ORIGIN}",
        f"calibration: {calibration}",
    ]
    short = {h.why for h in model.horizons if h.level != "promotable"}
    if short:
        days = ", ".join(f"{h.days:g}" for h in model.horizons if h.level != "promotable")
        said.append(f"not promotable at {days} days: {'; '.join(sorted(short - {''})) or 'too few deaths or survivors'}")
    return said
