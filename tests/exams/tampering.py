"""What somebody does to receipts who knows the program and has the disk, and not the key: each must be found out.

Every manipulation is done to a copy of an honest store, and both verifiers look at it. Some leave a store that is whole in itself
(an older copy, log and heads alike): they are found by what somebody kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from honest_logs import LOGS, false_alarms
from looking import export_says, operator_says, outsider_says
from manipulated import MANIPULATIONS
from manipulations import Manipulation
from marks import Mark
from scenes import Scene, scene


def sit(folder: Path, advance: Callable[..., object], logs: int = LOGS) -> list[Mark]:
    """Every manipulation before both verifiers, then honest logs."""
    folder.mkdir(exist_ok=True)
    honest, missed = scene(folder), list[str]()
    for place, (name, one) in enumerate(MANIPULATIONS.items(), 1):
        missed += [f"{name} ({who})" for who in missed_by(one, honest.copied(folder / str(place)))]
        advance("manipulations", place, len(MANIPULATIONS))
    outside = sum(one.outside for one in MANIPULATIONS.values())
    what = f"missed: {len(MANIPULATIONS)} manipulations before audit verify, {outside} before verifier.py, twice"
    alarms = false_alarms(folder / "logs", logs, advance)
    return [
        Mark(what, len(missed), most=0, note="; ".join(missed)),
        Mark(f"false alarms in {logs} honest logs, of both verifiers", len(alarms), most=0, note="; ".join(alarms)),
    ]


def missed_by(one: Manipulation, made: Scene) -> list[str]:
    """Who does not find it out: the operator; the outsider, of the database or of an export of it."""
    one.done_to(made)
    kept = {"witness": {"witnesses": [made.witness]}, "receipt": {"answers": [made.receipt]}}.get(one.kept, {})
    looks = {"operator": operator_says(made.folder, **kept)}
    if one.outside:
        looks["outsider"] = outsider_says(made.folder, **kept)
        looks["outsider, of an export"] = export_says(made.folder, made.folder.with_name(f"{made.folder.name}-export"), **kept)
    return [who for who, said in looks.items() if not said]
