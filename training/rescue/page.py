"""The report of an analysis of recovery, one HTML page that loads nothing, made to be shown to a tumour board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.rescue import said
from training.rescue.said import chance, ratio
from training.telling.blocks import Block, Heading, Picture, Words, points, table
from training.telling.page import page_html

Document = Mapping[str, Any]
RATIO = "hazard ratio (95 %)"
ADJUSTED = "adjusted hazard ratio (95 %)"


def report(told: Document, pictures: Mapping[str, bytes]) -> str:
    """The page; `pictures` are PNG by name."""
    sections = (_honest, _landmarks, _incidence, _groups, _fitness, _naive, _who, _definitions, _provenance)
    opening = _opening(told)
    name = f"Lymphopenia rescue: {told['cohort']['name']}"
    parts = [part(told) for part in sections]
    return page_html("recovery and survival", name, opening, parts, pictures, example=str(told.get("example", "")))


def _opening(told: Document) -> list[Block]:
    settings = told["settings"]
    return [
        Words(said.ASSOCIATION, "warning"),
        Words(
            f"{told['patients']} patients with ALC below {settings['cut_off']:.1f} 10*9/L on the index date "
            f"({settings['population']}), "
            f"{told['deaths']} deaths; followed to day {settings['horizon']:g} where a horizon is needed."
        ),
    ]


def _honest(told: Document) -> list[Block]:
    rows = [(f"time-dependent, {one['label']}", ratio(one["unadjusted"]), ratio(one["adjusted"])) for one in told["events"]]
    rows += [("rescue, without patients on steroids on the index date", "", ratio(told["without_steroids"]))]
    landmarks = told["landmarks"].items()
    rows += [(f"landmark day {day}", ratio(at.get("unadjusted", at)), ratio(at.get("adjusted", at))) for day, at in landmarks]
    return [
        Heading("Does recovery go with survival?"),
        Words(said.TIME_DEPENDENT),
        *table("Hazard ratio of death, those in whom it had happened over those in whom it had not", ("", RATIO, ADJUSTED), rows),
        Words(f"Adjusted for {told['adjusted_for']}, as on the index date."),
        *_left_out(told),
        Words(said.attenuated(told)),
        Picture("ratios", "Every ratio; in red the one that must not be believed.", "Forest plot of the hazard ratios above."),
    ]


def _left_out(told: Document) -> list[Block]:
    lines = [f"{name}: {why}" for name, why in told["left_out"].items()]
    guessed = [f"{name}: estimated from the others in {share:.0%}" for name, share in told["estimated"].items()]
    return [*points("Not adjusted for:", lines), *points("Adjusted for, though not measured in everybody:", guessed)]


def _landmarks(told: Document) -> list[Block]:
    blocks: list[Block] = [Heading("From a landmark on"), Words(said.LANDMARK)]
    for day, at in told["landmarks"].items():
        blocks += [Heading(f"Day {day}", 3), *_landmark(day, at)]
    return blocks


def _landmark(day: str, at: Document) -> list[Block]:
    if "refused" in at:
        return [Words(f"Refused: {at['refused']}.", "quiet")]
    before = ", ".join(f"{count} {why}" for why, count in at["before"].items())
    groups = [(one["name"], one["patients"], one["deaths"], _median(one)) for one in at["groups"]]
    risk = [(one["name"], *one["at_risk"].values()) for one in at["groups"]]
    tests = [("log-rank p", chance(at["log_rank_p"])), (RATIO, ratio(at["unadjusted"])), (ADJUSTED, ratio(at["adjusted"]))]
    return [
        Words(f"{at['alive']} were alive and followed; before it: {before}. {at['recovered_later']} recovered only later."),
        Picture(f"landmark-{day}", f"Survival from day {day}.", f"Kaplan-Meier curves from day {day}; the tables say the same."),
        *table(f"Groups of day {day}", ("", "patients", "deaths", "median days from the landmark (95 %)"), groups),
        *table("Still followed, to the nearest ten, by day from the index date", ("", *at["groups"][0]["at_risk"]), risk),
        *table("Compared", ("", "value"), [*tests, ("restricted mean survival", _mean(at["restricted_mean"]))]),
    ]


def _median(one: Document) -> str:
    if not one["median"] or one["median"][0] is None:
        return "not reached"
    value, low, high = ("not reached" if day is None else f"{day}" for day in one["median"])
    return f"{value} ({low} to {high})"


def _mean(found: Document) -> str:
    if "refused" in found:
        return f"refused: {found['refused']}"
    difference = f"{found['difference']:.0f} days between them ({found['low']:.0f} to {found['high']:.0f})"
    return f"{found['recovered']:.0f} and {found['not_recovered']:.0f} days up to the horizon, {difference}"


def _incidence(told: Document) -> list[Block]:
    rows = [(one["label"], one["asked"], one["happened"], one.get("median_day"), *_shares(one)) for one in told["events"]]
    head = ("", "asked of", "happened in", "median day", "share by day 84", "share by the horizon")
    return [
        Heading("How many recover, and when"),
        Picture("incidence", "Recovery with death as a competing event.", "Shares recovered, waiting and dead before recovery."),
        *table("What happened; death before it competes with it (Aalen, Johansen)", head, rows),
        Words(said.regression(told)),
        Words(told["steroids"]["sentence"]),
    ]


def _shares(one: Document) -> tuple[str, str]:
    if "incidence" not in one:
        return "hidden, few", "hidden, few"
    of = one["incidence"]
    places = (of["days"].index(84.0) if 84.0 in of["days"] else -1, -1)
    first, last = (f"{of['happened'][place]:.0%}" for place in places)
    return first, last


def _groups(told: Document) -> list[Block]:
    blocks: list[Block] = [Heading("In some more than in others?"), Words(_CAUTION)]
    for one in told["interactions"]:
        rows = [(each["level"], each["patients"], each["recovered"], ratio(each["hazard_ratio"])) for each in one["groups"]]
        blocks += table(f"By {one['by']}", ("", "patients", "recovered", ADJUSTED), rows)
        blocks.append(Words(_differ(one["differ"]), "quiet"))
    return blocks


_CAUTION = (
    "A ratio for each group in one model. That one interval holds 1 and another does not is no difference between groups: that "
    "has a test of its own, below each table. Groups were named before anything was looked at."
)


def _differ(found: Document) -> str:
    if "refused" in found:
        return f"No test of a difference: {found['refused']}."
    return f"Probability of differences as large by chance: p {chance(found['p'])}."


def _fitness(told: Document) -> list[Block]:
    return [Heading("What was not measured"), Words(said.fitness(told), "warning")]


def _naive(told: Document) -> list[Block]:
    return [
        Heading("The analysis that must not be believed"),
        Words(said.BIASED, "warning"),
        Words(said.bias(told)),
        Picture("naive", "BIASED: ever against never recovered.", "Two biased curves, shown only so that they are recognised."),
    ]


def _who(told: Document) -> list[Block]:
    flow = [(step["reason"], step["left"], step["remaining"]) for step in told["flow"]]
    return [
        Heading("Who is in it"),
        Words("The population key is a filter on the cohort and nothing else: it decides about no patient."),
        Picture("flow", "From the rows read to the patients analysed.", "Flow diagram; the table below says the same."),
        *table("Flow", ("", "left", "remain"), flow),
        *table("By cut-off, to the nearest ten", ("ALC below (10*9/L)", "patients"), told["by_cut_off"].items()),
        *table("CTCAE v5 grade of lymphopenia on the index date", ("", "patients"), told["by_grade"].items()),
    ]


def _definitions(told: Document) -> list[Block]:
    lines: Sequence[str] = [f"{one['label']}: {one['definition']}" for one in told["events"]]
    more = (
        "Counts of fewer than ten are hidden, and what would give them away is rounded.",
        "A question with too few patients or deaths in a group is refused, with the number that is short.",
        "What happens on a day counts from the day after it; whoever is lost on a day was followed through it.",
    )
    return [Heading("Definitions"), *points("What is meant by", [*lines, *more])]


def _provenance(told: Document) -> list[Block]:
    settings = {name.replace("_", " "): value for name, value in told["settings"].items()}
    rows = [("cohort digest (SHA-256)", told["cohort"]["digest"]), ("source", told["cohort"]["source"]), *settings.items()]
    return [Heading("Where it comes from"), *table("Made of", ("", ""), rows)]
