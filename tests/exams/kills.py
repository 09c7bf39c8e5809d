"""No receipt that was given out is lost or altered when the process is killed, at any moment, while four clients ask."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from child import BACK_SECONDS, Child, Clients, Told
from held import Held, held
from marks import Mark

KILLS = 50
BEFORE_HASTY = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import hasty"  # the control
_LOAD = (0.05, 1.5)  # seconds after which the process is killed while clients ask
_BEGINNING = (0.0, 1.5)  # and while it begins, which is every fifth time


@dataclass
class Killed:
    """What came of killing one service again and again."""

    acknowledged: int
    held: Held
    back: Sequence[float]  # seconds from a start to a score, after each kill
    strange: int  # answers that were neither a score with its receipt nor the problem that there is none
    again: int  # kills while it began


def kills(folder: Path, times: int, seed: int, before: str = "", advance: Callable[..., object] = lambda *_: None) -> Killed:
    """Kill the service so many times under load; after each it must begin, verify, and hold what it gave out."""
    rng = random.Random(seed)
    child, told, back, again = Child(folder, before), list[Told](), list[float](), 0
    lost, altered, faults = 0, 0, list[str]()
    child.begin()
    child.back()
    for kill in range(times):
        with Clients(child.port, named=f"k{kill}") as clients:
            time.sleep(rng.uniform(*_LOAD))
            child.kill()
        told += clients.told
        if kill % 5 == 0:
            again += 1
            child.begin()
            time.sleep(rng.uniform(*_BEGINNING))
            child.kill()
        back.append(_back(child))
        found = held(child.receipts, child.keys, clients.acknowledged)
        lost, altered, faults = lost + found.lost, altered + found.altered, [*faults, *found.faults]
        advance("kills", kill + 1, times)
    whole = held(child.receipts, child.keys, (one for one in told if one.status == 200))
    child.end()
    final = Held(whole.acknowledged, max(lost, whole.lost), max(altered, whole.altered), [*faults, *whole.faults])
    return Killed(whole.acknowledged, final, back, sum(not one.as_agreed for one in told), again)


def _back(child: Child) -> float:
    began = time.monotonic()
    child.begin()
    child.back()
    return time.monotonic() - began


def sit(folder: Path, advance: Callable[..., object], times: int = KILLS, seed: int = 7) -> list[Mark]:
    """The bars of the issue."""
    found = kills(folder, times, seed, advance=advance)
    note = f"{found.acknowledged:,} acknowledged; {found.again} more kills while it began"
    return [
        Mark("kills under load", len(found.back), least=times, note=note),
        Mark("acknowledged receipts lost", found.held.lost, most=0),
        Mark("acknowledged receipts altered", found.held.altered, most=0),
        Mark("faults that verify found", len(found.held.faults), most=0, note="; ".join(found.held.faults[:2])),
        Mark("answers of another kind", found.strange, most=0),
        Mark("longest until it scored again, s", max(found.back), most=BACK_SECONDS),
    ]
