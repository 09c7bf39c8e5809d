"""Whether a model's percentages were held against what became of a hospital's own patients, as the sealed ledger knows it.

A ranking travels from hospital to hospital, a percentage does not (method.md section 5). So it is told of every answer whether
observed over expected deaths were looked at where the answer is given: by `evaluate --site`, whose interval must lie within
0.80 to 1.25, or by `recalibrate`. What a model says of itself is not enough; the ledger must know of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from models.ledger import AT_SITE, RECALIBRATED, Entry
from models.risk import RiskModel

LEAST, MOST = 0.80, 1.25  # between them the whole interval of observed over expected must lie
HERE = "at this site"
Kind = Literal["evaluated", "recalibrated"]


@dataclass(frozen=True)
class ObservedExpected:
    """Observed over expected deaths by `day`, with its 95 % interval."""

    day: int
    value: float
    low: float
    high: float

    @property
    def within(self) -> bool:
        """Whether the interval leaves no room for percentages that mislead."""
        return self.low >= LEAST and self.high <= MOST

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f}) by day {self.day}"


@dataclass(frozen=True)
class CalibrationAtSite:
    """The newest word of the ledger on one model at one site: what was done, when (UTC), on how many patients, what was found."""

    kind: Kind
    site: str
    time: str
    entry: int  # its number in the ledger
    patients: int | None
    horizons: tuple[ObservedExpected, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """JSON-ready; `from_json` gives it back."""
        return asdict(self) | {"horizons": [asdict(one) for one in self.horizons]}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> CalibrationAtSite:
        """What `as_json` was made of."""
        return cls(**{**told, "horizons": tuple(ObservedExpected(**one) for one in told["horizons"])})


def calibration_at_site(entries: Iterable[Entry], digest: str, site: str) -> CalibrationAtSite | None:
    """What the ledger knows of the model of this digest at `site`: its newest evaluation there, else that it was made for it.

    None where it knows of neither, or where no site is named. Entries of another model, its parent's too, do not count.
    """
    if not site.strip():
        return None
    ours = [one for one in entries if one.facts.get("model") == digest and _same(one.facts.get("site"), site)]
    evaluated = [one for one in ours if one.kind == AT_SITE]
    recalibrated = [one for one in ours if one.kind == RECALIBRATED]
    if evaluated:
        return _evaluated(evaluated[-1])
    return _recalibrated(recalibrated[-1]) if recalibrated else None


def _same(one: object, other: str) -> bool:
    return str(one or "").strip().casefold() == other.strip().casefold()


def _evaluated(entry: Entry) -> CalibrationAtSite:
    facts: Mapping[str, Any] = entry.facts
    horizons = sorted((int(day), one) for day, one in facts["horizons"].items())  # the ledger keeps them as text, 180 before 30
    found = tuple(ObservedExpected(day, one["value"], one["low"], one["high"]) for day, one in horizons)
    return CalibrationAtSite("evaluated", facts["site"], entry.time, entry.sequence, facts["patients"], found)


def _recalibrated(entry: Entry) -> CalibrationAtSite:
    return CalibrationAtSite("recalibrated", str(entry.facts["site"]), entry.time, entry.sequence, None)


def calibration_words(model: RiskModel, known: CalibrationAtSite | None, site: str) -> str:
    """What is said of calibration in an answer given at `site`: it begins with "not checked at this site" unless it was."""
    where = f"{HERE} ({site})" if site else HERE
    if known is None:
        return f"not checked {where}" + _claimed(model)
    when = f"{known.time[:10]}, entry {known.entry} of the ledger"
    if known.kind == "recalibrated":
        return f"recalibrated {where}{_on(model)} ({when})"
    within = [one for one in known.horizons if one.within]
    rest = _listed([one for one in known.horizons if not one.within])
    found = f"on {known.patients} patients ({when})"
    if within:
        said = f"checked {where} {found}: observed over expected deaths {_listed(within)}"
        return said + (f"; not within {LEAST:.2f} to {MOST:.2f}: {rest}" if rest else "") + _unanswered(model, known)
    off = f"observed over expected deaths {rest or 'not known at any horizon'}, and not within {LEAST:.2f} to {MOST:.2f}"
    return f"not checked {where}: an evaluation {found} found {off}"


def _unanswered(model: RiskModel, known: CalibrationAtSite) -> str:
    """The horizons that are served and of which those patients could not tell."""
    told = {one.day for one in known.horizons}
    days = [str(day) for day in model.days if day not in told]
    return f"; not checked by day {', '.join(days)}" if days else ""


def _listed(found: Sequence[ObservedExpected]) -> str:
    return ", ".join(map(str, found))


def _on(model: RiskModel) -> str:
    """On whom the model says that it was recalibrated."""
    cohort = model.recalibrated.get("cohort")
    if not isinstance(cohort, Mapping):
        return ""
    return f" on {cohort['patients']} patients, {cohort['deaths']} of whom had died by day {cohort['deaths_by']}"


def _claimed(model: RiskModel) -> str:
    """What the model says of itself, and no ledger confirms."""
    if not model.recalibrated:
        return ""
    return f"; the model was recalibrated for {model.recalibrated['site']}, and no ledger at hand knows of that here"
