"""What a run with landmarks tells: who was seen when, and how good the model is each time, beside the index date's score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.example import EXAMPLE
from training.landmarks.drawn import draw
from training.landmarks.trip import LandmarkRun, landmark_facts
from training.small_cells import masked, masked_sentence
from training.telling.blocks import Block, Heading, Picture, Words, interval, table
from training.telling.page import page_html, report_path
from training.telling.sheet import as_png
from training.tracking.track import Tracked

Facts = Mapping[str, Any]
_AUC, _SLOPE = "auc-at-landmarks", "slope-at-landmarks"
_PICTURES = {_AUC: "auc", _SLOPE: "slope"}
_OPENING = (
    "One model for every day on which a patient is looked at again. Each row of it knows only what was known on its day; all "
    "rows of a patient lie on one side of every split, and censoring is weighted anew among those alive and followed at each "
    "landmark."
)
_AGAIN = (
    "Beside it stands the score of the index date used again, as it is where nobody scores a patient anew: the risk stated then, "
    "read as one from today. Intervals are of 95 %, from a bootstrap by patient."
)
_SELECTION = (
    "Who is still on therapy is a selection: those who left it did so for reasons that the table does not hold. How many left, "
    "and how many of them died within 90 days, stands beside those who are seen."
)


def landmarks_json(run: LandmarkRun) -> dict[str, Any]:
    """The run, JSON-ready."""
    facts = landmark_facts(run.histories, run.rows, run.judged, run.fit, run.study)
    return {"model": str(run.folder), "digest": run.digest, **facts, "report": str(report_path(run.folder))}


def landmarks_text(run: LandmarkRun, tracked: Tracked | None = None) -> str:
    """The run for a reader of a terminal."""
    facts = landmarks_json(run)
    lines = [EXAMPLE] if run.fit.model.simulated else []
    size = f"{facts['patients']} patients, {facts['rows']} rows at {len(facts['at'])} landmarks"
    lines += ["", f"{size}; {facts['learner']} learner", *judged_lines(facts)]
    lines += [f"Refused: {day} d, {masked_sentence(why)}" for day, why in facts["refused"].items()]
    lines += [f"Artifact: {run.folder}  digest {run.digest}", f"Report: {facts['report']}"]
    return "\n".join(lines + ([] if tracked is None else [f"MLflow: run {tracked.run_id}, {tracked.model_uri}"]))


def judged_lines(facts: Facts) -> list[str]:
    """A line for each landmark and horizon."""
    return [
        f" day {one['day']:g}, death within {horizon} d: AUC {interval(found['auc'])}, slope {interval(found['slope'], 2)}; "
        f"score of the index date: AUC {interval(one['score_of_the_index_date'][horizon]['auc'])}"
        for one in facts["judged"]
        for horizon, found in one["model"].items()
    ]


def write_page(run: LandmarkRun) -> Path:
    """One self-contained HTML page beside the artifact."""
    facts, example = landmarks_json(run), EXAMPLE if run.fit.model.simulated else ""
    opening = (Words(_OPENING), Words(_AGAIN))
    sections = (who_was_seen(facts), how_good(facts), _made_of(facts, run.digest))
    path, drawn = report_path(run.folder), pictures(facts, example)
    html = page_html("report of a model for landmarks", str(facts["cohort"]), opening, sections, drawn, example=example)
    path.write_text(html, encoding="utf-8")
    return path


def pictures(facts: Facts, example: str, prefix: str = "") -> dict[str, bytes]:
    """The pictures of `how_good`, by name."""
    return {prefix + name: as_png(draw(facts, measure, _horizons(facts), example)) for name, measure in _PICTURES.items()}


def who_was_seen(facts: Facts) -> list[Block]:
    """Who was there at each landmark, and why others were not."""
    head = ("day", "died by then", "censored", "alive and followed", "off therapy", "of them died within 90 d", "seen")
    names = ("died", "censored", "followed", "left", "left_died", "seen")
    rows = ((f"{one['day']:g}", *(masked(one[name]) for name in names)) for one in facts["at"])
    reasons: dict[str, int] = {}
    for one in facts["at"]:
        for why, count in one["unseen"].items():
            reasons[why] = reasons.get(why, 0) + count
    beyond = ", ".join(f"{masked(count)} of {name}" for name, count in facts["rows_after_the_end_of_follow_up"].items() if count)
    blocks: list[Block] = [Heading("Who was seen at each landmark"), Words(f"Seen: {facts['declared']['who']}. {_SELECTION}")]
    blocks += table("Patients at each landmark (days after the index date)", head, rows)
    why = ((reason, masked(count)) for reason, count in reasons.items())
    blocks += table("Why others alive have no row, over all landmarks", ("reason", "rows"), why)
    return [*blocks, *([Words(f"Rows dated after the end of follow-up, not read: {beyond}.", "quiet")] if beyond else [])]


def how_good(facts: Facts, prefix: str = "") -> list[Block]:
    """Discrimination and calibration at each landmark beside those of the index date's score."""
    blocks: list[Block] = [Heading("How good the risks are at each landmark")]
    both = "of the model and of the index date's score by landmark"
    blocks.append(Picture(prefix + _AUC, "Discrimination at each landmark", f"AUC {both}"))
    blocks.append(Picture(prefix + _SLOPE, "Calibration slope at each landmark", f"Slope {both}"))
    for horizon in _horizons(facts):
        head = ("landmark", "AUC", "calibration slope", "observed / expected", "AUC of the index date's score", "gain in AUC")
        blocks += table(f"Death within {horizon} days of the landmark", head, _rows(facts, horizon))
    short = ((one["day"], *each) for one in facts["judged"] for each in one["refused"].items())
    refused = [(f"day {landmark:g}, {day} d", masked_sentence(why)) for landmark, day, why in short]
    return [*blocks, *table("Not told, and which number is short", ("landmark and horizon", "why"), refused)]


def _rows(facts: Facts, horizon: str) -> Iterable[Sequence[str]]:
    for one in facts["judged"]:
        if found := one["model"].get(horizon):
            again, gain = one["score_of_the_index_date"][horizon], one["auc_gain"][horizon]
            told = (interval(found[name], 2 if name != "auc" else 3) for name in ("auc", "slope", "observed_expected"))
            yield (f"day {one['day']:g}", *told, interval(again["auc"]), interval(gain))


def _made_of(facts: Facts, digest: str) -> list[Block]:
    asked = facts["declared"]
    rows = [
        ("index event", asked["index_event"]),
        ("landmarks, days", ", ".join(f"{day:g}" for day in asked["days"])),
        ("a value is carried, days", f"{asked['carried']:g}"),
        ("learner", facts["learner"]),
        ("features", ", ".join(facts["features"])),
        ("model digest", digest),
    ]
    left = table("Features left out", ("feature", "why"), ((n, masked_sentence(w)) for n, w in facts["left_out"].items()))
    return [Heading("What it was made of"), *table("", ("what", ""), rows), *left]


def _horizons(facts: Facts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(horizon for one in facts["judged"] for horizon in one["model"]))
