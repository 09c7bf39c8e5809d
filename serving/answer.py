"""An answer: the risks of one patient, why they are what they are, what went into them and how far they may be believed.

It is a value: everything in it was computed before, and `as_json` and `text` only write it down.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

from models.example import EXAMPLE
from models.explanation import COVERS, GroupTerm, HorizonExplanation, reasons
from models.lymphopenia import Lymphopenia
from models.published import PublishedResult
from models.quality import InputQuality
from models.risk import LEVEL
from serving.published_scores import entry, sentence
from serving.ranked import ALL_SHARES, Ranked
from serving.standing import DISCLAIMER

PRIMARY = 90  # days: "life expectancy of more than three months"
_SET_ASIDE = "given and set aside, since it cannot be interpreted; estimated"
_NOT_KNOWN = "what is not known of this patient: what was estimated, and what it could change, is said below"


class InputUsed(NamedTuple):
    """The value of a feature as the model used it, clipped and estimated where it had to be."""

    feature: str
    label: str
    group: str
    unit: str
    value: float | str | None


@dataclass(frozen=True)
class Estimate:
    """A lab that was not measured: its estimate with the 10th and 90th percentile, and the risk by horizon at each of the two."""

    feature: str
    label: str
    unit: str
    value: float
    low: float
    high: float
    risk_at_low: Mapping[int, float]
    risk_at_high: Mapping[int, float]

    @property
    def range(self) -> str:
        """The estimate with its range, for whoever reads what became of the input."""
        ends = f"{_number(self.low)} to {_number(self.high)}{_unit(self.unit)}"
        return f"estimated as {_number(self.value)}, 10th to 90th percentile {ends}: the risks at both ends are in estimates"


class Changed(Protocol):
    """What changed since an earlier score (`serving.changes`)."""

    def as_json(self) -> dict[str, object]:
        """JSON-ready values."""
        ...

    def sentences(self, days: int) -> Iterator[str]:
        """What is said of one horizon."""
        ...


class Recurring(Protocol):
    """Tells a part of an answer that was told before, and will be again, with the very same words."""

    def __call__(self, tell: Callable[..., dict[str, object]], *of: Hashable) -> object:
        """What `tell(*of)` gives, or what stands for it when the answer is written down."""
        ...


def _told(tell: Callable[..., dict[str, object]], *of: Hashable) -> dict[str, object]:
    return tell(*of)


@dataclass(frozen=True)
class Answer:
    """Everything said about one patient; the body of the service's answer is `as_json()`."""

    id: str
    standing: tuple[str, ...]
    horizons: tuple[HorizonExplanation, ...]
    inputs: tuple[InputUsed, ...]
    estimates: tuple[Estimate, ...]
    lymphopenia: Lymphopenia | None
    quality: tuple[InputQuality, ...]
    published: Mapping[str, PublishedResult]
    warnings: tuple[str, ...]
    refused_horizons: Mapping[str, str]
    model: str
    digest: str
    simulated: bool
    release: Mapping[str, object] = field(default_factory=dict)  # who promoted the model; nothing where nobody did
    of_lymphocytes: tuple[str, ...] = ()  # what confounds the count that is graded
    change: Changed | None = None  # since an earlier score, where that was asked for
    ranked: Ranked = ALL_SHARES  # at which horizons a rank is to be told rather than a percentage, and why

    @cached_property
    def primary(self) -> HorizonExplanation:
        """The horizon whose reasons are put in words: 90 days, or the one nearest to it."""
        return min(self.horizons, key=lambda horizon: abs(horizon.days - PRIMARY))

    @property
    def text(self) -> str:
        """The answer as a clinician reads it, one sentence a line."""
        return "\n".join(self.sentences())

    def sentences(self) -> Iterator[str]:
        """The standing, the risks, warnings, reasons, estimates, what published scores say, and what the number is not."""
        yield from self.standing
        yield from map(_risk_sentence, self.horizons)
        yield from self._rank()
        yield from () if self.change is None else self.change.sentences(self.primary.days)
        yield from (f"{days} days: not answered; {why}" for days, why in self.refused_horizons.items())
        yield COVERS + (f", nor {_NOT_KNOWN}" if self.estimates else "")
        yield from self.warnings
        yield f"Why, within {self.primary.days} days:"
        beside = {one.name: one.remarks for one in self.quality if one.remarks}
        yield from reasons(self.primary, _by_group(self.inputs, beside))
        aside = {one.name for one in self.quality if "not interpretable" in one.states}
        for estimate in self.estimates:
            given = _SET_ASIDE if estimate.feature in aside else "not known, estimated"
            yield _estimate_sentence(estimate, given, self.primary.days) + _bracketed(beside.get(estimate.feature, ()))
        if self.lymphopenia is not None:
            yield self.lymphopenia.sentence() + _bracketed(self.of_lymphocytes)
        yield from sentence(self.published)
        yield DISCLAIMER

    def _rank(self) -> Iterator[str]:
        """Where the patient stands among others, if percentages are not known to hold and the model keeps ranks."""
        one = self.primary
        if one.rank is not None and self.ranked.shown_as(one.days) == "rank":
            yield (
                f"Rank within {one.days} days: above about {round(100 * one.rank)} of 100 patients of the development cohort; "
                f"a rank, since {' and '.join(self.ranked.why)}"
            )

    def _beside(self) -> dict[str, list[str]]:
        """By input, what is said beside its number, if anything: what confounds it, and of an estimate its range."""
        found = {one.name: list(one.remarks) for one in self.quality if one.remarks}
        for estimate in self.estimates:
            found.setdefault(estimate.feature, []).append(estimate.range)
        return found

    def as_json(self, recurring: Recurring = _told) -> dict[str, object]:
        """JSON-ready values; of a model of simulated patients, the first key says so.

        What recurs in many answers is told by `recurring`, which may remember it.
        """
        example: dict[str, object] = {"example": EXAMPLE} if self.simulated else {}
        beside = self._beside()
        change: dict[str, object] = {} if self.change is None else {"change": self.change.as_json()}
        return example | {
            "id": self.id or None,
            "standing": list(self.standing),
            "risks": {str(horizon.days): _risk(horizon) for horizon in self.horizons},
            "shown_as": {str(horizon.days): self.ranked.shown_as(horizon.days) for horizon in self.horizons},
            "why_rank": list(self.ranked.why),
            "intervals": {"percent": LEVEL, "cover": COVERS},
            "refused_horizons": dict(self.refused_horizons),
            "lymphopenia": None if self.lymphopenia is None else _lymphopenia(self.lymphopenia),
            "explanation": {
                "scale": "log-odds: base + terms + time_bound = log_odds; percentage points sum to risk - reference",
                "inputs": [_input(one, beside.get(one.feature)) for one in self.inputs],
                "horizons": {str(horizon.days): _explanation(horizon) for horizon in self.horizons},
            },
            "estimates": [_estimate(one) for one in self.estimates],
            "quality": [recurring(_quality, one, tuple(beside.get(one.name, ()))) for one in self.quality],
            "published_scores": [recurring(entry, name, found) for name, found in self.published.items()],
            "warnings": list(self.warnings),
            "text": self.text,
            "model": {"name": self.model, "digest": self.digest, **self.release},
            "disclaimer": DISCLAIMER,
            **change,
        }


def _input(one: InputUsed, remarks: list[str] | None) -> dict[str, object]:
    feature, label, group, unit, value = one
    told: dict[str, object] = {"feature": feature, "label": label, "group": group, "unit": unit, "value": value}
    return told | {"remarks": remarks} if remarks else told


def _quality(one: InputQuality, remarks: Sequence[str]) -> dict[str, object]:
    told: dict[str, object] = {"input": one.name, "label": one.label, "states": list(one.states)}
    return told | {"remarks": list(remarks)} if remarks else told


def _risk(horizon: HorizonExplanation) -> dict[str, float | None]:
    return {
        "risk": horizon.risk,
        "low": horizon.low,
        "high": horizon.high,
        "reference": horizon.reference,
        "died_share": horizon.died_share,
        "rank": horizon.rank,
    }


def _explanation(horizon: HorizonExplanation) -> dict[str, object]:
    return {
        "base": horizon.base,
        "terms": horizon.terms,
        "time_bound": horizon.time_bound,
        "log_odds": horizon.log_odds,
        "groups": [_group(group) for group in horizon.groups],
    }


def _group(of: GroupTerm) -> dict[str, object]:
    group, term, low, high, points, estimated_share = of
    return {
        "group": group,
        "term": term,
        "low": low,
        "high": high,
        "percentage_points": 100 * points,
        "distinguishable": of.distinguishable,
        "estimated_share": estimated_share,
    }


def _estimate(estimate: Estimate) -> dict[str, object]:
    words = dict(vars(estimate))
    for name in ("risk_at_low", "risk_at_high"):
        words[name] = {str(days): risk for days, risk in words[name].items()}
    return words


def _lymphopenia(found: Lymphopenia) -> dict[str, object]:
    return {"grade": found.grade, "scale": "CTCAE 5.0", "since_days_before_as_of": found.since_days}


def _risk_sentence(horizon: HorizonExplanation) -> str:
    return (
        f"Risk of death within {horizon.days} days: {_percent(horizon.risk)} ({LEVEL} % interval {_percent(horizon.low)} to "
        f"{_percent(horizon.high)}); {_of_the_cohort(horizon.reference, horizon.died_share)}"
    )


@lru_cache(maxsize=64)
def _of_the_cohort(reference: float, died_share: float) -> str:
    """What a risk is held against, the same for every patient."""
    average = f"at the development cohort's average log-odds {_percent(reference)}"
    return f"{average}, and {_percent(died_share)} of that cohort had died by then"


def _estimate_sentence(estimate: Estimate, given: str, days: int) -> str:
    low, high = estimate.risk_at_low[days], estimate.risk_at_high[days]
    return (
        f"{estimate.label}: {given}; with {_number(estimate.low)} or {_number(estimate.high)}{_unit(estimate.unit)} "
        f"(10th, 90th percentile for such patients) the risk within {days} days would read {_percent(low)} and {_percent(high)}"
    )


def _by_group(inputs: Sequence[InputUsed], beside: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """By group, what confounds the numbers it is made of; what is said of several of them is said once."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in inputs:
        for remark in beside.get(one.feature, ()):
            found.setdefault(one.group, {}).setdefault(remark, []).append(one.label)
    return {group: _bracketed([f"{', '.join(of)}: {said}" for said, of in told.items()]) for group, told in found.items()}


def _bracketed(remarks: Sequence[str]) -> str:
    return f" [{'; '.join(remarks)}]" if remarks else ""


def _unit(unit: str) -> str:
    return f" {unit}" if unit not in ("", "1", "{score}") else ""


def _number(value: float) -> str:
    """Three digits that count; thousands in full."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _percent(risk: float) -> str:
    return f"{100 * risk:.1f} %"
