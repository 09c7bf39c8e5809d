"""What the analysis says in words: an association everywhere, what each part cannot show, and what no number of it decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ASSOCIATION = (
    "Everything here is an association among these patients. It does not show that a recovery of lymphocytes changes survival, "
    "names no therapy, and decides about nobody's eligibility for anything."
)
FITNESS = (
    "Recovery may mark fitness: whoever is fitter, or has a healthier marrow or less disease than the index date shows, may both "
    "recover and live longer, without one leading to the other."
)
BIASED = (
    "BIASED, shown only so that it is recognised: \"ever\" recovered against never, counted from the index date. Whoever "
    "recovered in the third month cannot have died in the second, so the days before a recovery are lived through by design."
)
TIME_DEPENDENT = (
    "The time-dependent Cox model: at each death those in whom lymphocytes had recovered by then are compared with those still "
    "followed in whom they had not yet."
)
LANDMARK = (
    "At a landmark those alive and followed are divided by what was known that day, and followed from it. Nobody is credited "
    "with days that were lived before a recovery was known."
)
Document = Mapping[str, Any]


def ratio(found: Document) -> str:
    """A hazard ratio with its interval, or why there is none.

    >>> ratio({"value": 0.9, "low": 0.75, "high": 1.1, "p": 0.3}), ratio({"refused": "too few"})
    ('0.90 (0.75 to 1.10)', 'refused: too few')
    """
    if "refused" in found:
        return f"refused: {found['refused']}"
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def chance(p: float) -> str:
    """A probability as it is usually written.

    >>> chance(0.034), chance(0.00001)
    ('0.034', 'below 0.001')
    """
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def regression(told: Document) -> str:
    """What regression to the mean alone would give."""
    found = told["regression_to_mean"]
    if "refused" in found:
        return f"What regression to the mean alone would give is not known: {found['refused']}."
    seen = _seen(found["observed_two_draws"])
    return (
        f"Counts scatter from draw to draw by a standard deviation of {found['noise']:.2f} of their natural logarithm. Were "
        f"nobody's lymphocytes to change at all, the rule would by chance call {found['two_draws']:.0%} recovered on these very "
        f"draw days (seen: {seen}); a single draw would call {found['one_draw']:.0%} so "
        f"(seen: {_seen(found['observed_one_draw'])})."
    )


def _seen(share: float | None) -> str:
    return "hidden, few" if share is None else f"{share:.0%}"


def attenuated(told: Document) -> str:
    """Why a landmark's ratio lies nearer to 1 than that of the time-dependent model."""
    days = [day for day, one in told["landmarks"].items() if "refused" not in one]
    later = "; ".join(f"day {day}: {told['landmarks'][day]['recovered_later']} patients" for day in days)
    counted = f" ({later})" if later else ""
    return (
        f"A landmark ratio is attenuated, that is drawn towards 1: who recovers only after the landmark{counted} stands with "
        "those who had not recovered. The time-dependent model counts them from their day on."
    )


def bias(told: Document) -> str:
    """How far the naive analysis is off, in these patients."""
    found = told["naive"]
    if "refused" in found:
        return f"The naive analysis was not made: {found['refused']}."
    lot = found["by_lot"]
    words = f"Its hazard ratio is {ratio(found['unadjusted'])}; adjusted for the index date, which does not mend it, "
    words += f"{ratio(found['adjusted'])}. "
    if isinstance(lot, float):
        words += (
            f"With recoveries handed out by lot among those alive on the same days, so that they mean nothing, the same analysis "
            f"still gives {lot:.2f}: a hazard lower by {1 - lot:.0%} made out of nothing. "
        )
    if "times_the_time_dependent" in found:
        honest = ratio(told["events"][0]["unadjusted"])
        times = f"{found['times_the_time_dependent']:.2f}"
        words += f"It is {times} times the time-dependent ratio, {honest}; that factor is its bias. "
    return words + f"On average a recovery was credited with {found['immortal_days']} days lived before it."


def fitness(told: Document) -> str:
    """The warning that recovery may mark fitness, with the E-value."""
    found = told["e_value"]
    if "refused" in found:
        return f"{FITNESS} No E-value: {found['refused']}."
    limit = (
        "its interval holds 1 already, without any"
        if found["limit"] <= 1
        else f"to move its interval to 1 takes {found['limit']:.2f}"
    )
    return (
        f"{FITNESS} E-value {found['estimate']:.2f}: something unmeasured that goes with recovery and with death by a risk ratio "
        f"of {found['estimate']:.2f} each, beyond what was adjusted for, could explain the association; {limit}."
    )


def text(told: Document) -> str:
    """The analysis for a reader of the command line."""
    return "\n".join(_lines(told))


def _lines(told: Document) -> Iterator[str]:
    if "example" in told:
        yield str(told["example"])
    settings, first = told["settings"], told["events"][0]
    yield f"{told['cohort']['name']}: lymphopenia rescue and survival ({settings['population']})"
    yield ASSOCIATION
    yield ""
    yield f"ALC below {settings['cut_off']:.1f} 10*9/L on the index date: {told['patients']} patients, {told['deaths']} deaths"
    yield f"Rescue: {first['definition']}"
    for one in told["events"]:
        middle = "" if one.get("median_day") is None else f", median day {one['median_day']}"
        yield f"  {one['label']}: {one['happened']} of {one['asked']}{middle}"
    yield regression(told)
    yield told["steroids"]["sentence"]
    yield ""
    yield "Hazard ratio of death after the event (95 % interval); adjusted for " + told["adjusted_for"]
    for one in told["events"]:
        yield f"  time-dependent, {one['label']}: {ratio(one['unadjusted'])}, adjusted {ratio(one['adjusted'])}"
    yield f"  without patients on steroids on the index date: {ratio(told['without_steroids'])}"
    for day, at in told["landmarks"].items():
        yield f"  landmark day {day}: {_at(at)}"
    yield attenuated(told)
    yield fitness(told)
    for one in told["interactions"]:
        yield f"By {one['by']}: {_differ(one['differ'])}"
        yield from (f"  {each['level']}: {ratio(each['hazard_ratio'])}" for each in one["groups"])
    yield ""
    yield BIASED
    yield bias(told)


def _at(at: Document) -> str:
    if "refused" in at:
        return ratio(at)
    return f"{ratio(at['unadjusted'])}, adjusted {ratio(at['adjusted'])}, log-rank p {chance(at['log_rank_p'])}"


def _differ(found: Document) -> str:
    if "refused" in found:
        return f"no test of a difference: {found['refused']}"
    return f"p for a difference between the groups {chance(found['p'])}"
