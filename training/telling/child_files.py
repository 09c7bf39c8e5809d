"""The files of a recalibrated model: its own account, and the evidence of its parent, on which its learners rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.artifact import MANIFEST, MODEL, TREES
from models.risk import RiskModel
from training.telling.blocks import interval
from training.telling.card import CARD, PAGE, card_files
from training.telling.evidence import COHORT, LEARNER, as_bytes, read_evidence
from training.telling.learner_facts import served

ACCOUNT, SHEET = "recalibration.json", "recalibration.md"
_PARENTS = "parent-"
_TOLD_ANEW = (CARD, PAGE, LEARNER, MANIFEST)


def child_files(parent: Path, child: RiskModel, account: Mapping[str, Any]) -> dict[str, bytes]:
    """The files beside the child's model: account and sheet, the parent's evidence to the byte, a card that names the child.

    What must be told anew is kept as the parent told it too, as `parent-...`.
    """
    there = {path.name: path.read_bytes() for path in sorted(parent.iterdir()) if path.name not in (MODEL, TREES)}
    kept = {(_PARENTS + name if name in _TOLD_ANEW else name): content for name, content in there.items()}
    return kept | _card(parent, child, account) | {ACCOUNT: as_bytes(account), SHEET: sheet(account).encode()}


def _card(parent: Path, child: RiskModel, account: Mapping[str, Any]) -> dict[str, bytes]:
    """The card, of the same evidence but for what the child says otherwise; none where the parent kept no evidence."""
    evidence = read_evidence(parent)
    if not {COHORT, LEARNER} <= set(evidence):
        return {}
    learner = evidence[LEARNER] | {"model": child.name, "served": served(child), "recalibrated": opening(account)}
    evidence[LEARNER] = learner
    return {LEARNER: as_bytes(learner), **card_files(evidence)}


def opening(account: Mapping[str, Any]) -> str:
    """What was done, in three sentences."""
    cohort, moved, parent = account["cohort"], account["map"], account["parent"]
    shift = "{value:+.3f} (95 % interval {low:+.3f} to {high:+.3f})".format(**moved["shift"])
    turned = "" if moved["slope"] == 1 else f", times {moved['slope']:.3f} about {moved['centre']:.3f}"
    return (
        f"Recalibrated for {account['site']} on {cohort['patients']} of its patients, of whom {cohort['deaths']} had died by day "
        f"{cohort['deaths_by']}: every log-odds is moved by {shift}{turned}. "
        f"Child of {parent['name']} ({parent['digest']}), which ranks patients as it does. "
        f"How its risks hold at {account['site']} is in {ACCOUNT}; all other figures are those of the parent in its own cohort."
    )


def sheet(account: Mapping[str, Any]) -> str:
    """The account as a page in Markdown."""
    prior = account["map"]["prior"]
    lines = [*([account["example"], ""] if "example" in account else []), f"# Recalibrated for {account['site']}", ""]
    lines += [opening(account), ""]
    lines += [
        f"The shift is held back by a prior: normal about 0, standard deviation {prior['shift_sd']:g}, as hospitals differ. "
        f"Observed over expected deaths after it is cross-fitted over {account['scheme']['folds']} folds of patients: nobody is "
        "judged by a shift that saw what became of them. AUC is the same before and after, for one map at every horizon leaves "
        "the order of the patients as it was.",
        "",
        "| day | deaths | AUC before | AUC after | O:E before | O:E after |",
        "|---|---|---|---|---|---|",
    ]
    for day, one in account["horizons"].items():
        auc, ratio = ({"value": value} for value in one["auc"].values()), one["observed_expected"]
        cells = (day, str(one["deaths"]), *(interval(each) for each in auc), interval(ratio["before"]), interval(ratio["after"]))
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"\nDay {day} was not used: {why}." for day, why in account["not_used"].items()]
    return "\n".join(lines) + "\n"
