"""For whom a number is meant and how far it may be believed: the words that open every answer."""

from __future__ import annotations

from models.artifact import Artifact
from models.example import EXAMPLE
from models.patient import Patient
from models.population import TIME_ORIGIN
from models.risk import RiskModel

DISCLAIMER = (
    "For clinicians, beside their own judgement. Prognostic: what is associated with the risk in patients like these, "
    "not what causes it. It advises for or against no treatment, and does not say that changing a value would change survival."
)


def standing(model: RiskModel, patient: Patient, site: str = "") -> list[str]:
    """What must be known before the number is read; of a model of simulated patients, that first of all."""
    return [*opening(model), *_outside(model, patient), *_model_standing(model, site)]


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
    return [f"{kind}promoted {told.time[:10]} by {told.by}, approved by {told.approved_by} (entry {told.sequence} of the ledger)"]


def release(artifact: Artifact) -> dict[str, object]:
    """The same for JSON, to be added to what is said of the model."""
    return {} if artifact.promotion is None else {"release": vars(artifact.promotion)}


def _outside(model: RiskModel, patient: Patient) -> list[str]:
    return [f"outside the development population: {reason}" for reason in model.population.outside(patient)]


def _model_standing(model: RiskModel, site: str) -> list[str]:
    said = [
        f"for adults with a relapsed or refractory solid tumour, at {model.population.time_origin or TIME_ORIGIN}",
        f"calibration: {_calibration(model, site)}",
    ]
    short = {h.why for h in model.horizons if h.level != "promotable"}
    if short:
        days = ", ".join(f"{h.days:g}" for h in model.horizons if h.level != "promotable")
        said.append(f"not promotable at {days} days: {'; '.join(sorted(short - {''})) or 'too few deaths or survivors'}")
    return said


def _calibration(model: RiskModel, site: str) -> str:
    """Whether the percentages were ever held against what became of this hospital's patients."""
    done = model.recalibrated
    where = f"at {site}" if site else "at this site"
    if not done:
        return f"not checked {where}"
    if done["site"] != site:
        return f"not checked {where}; the model was recalibrated for {done['site']}"
    cohort = done["cohort"]
    died = f"{cohort['deaths']} of whom had died by day {cohort['deaths_by']}"
    return f"recalibrated {where} on {cohort['patients']} patients, {died}"
