"""The first hour of somebody new: the demo from end to end, then one patient scored from a cold start."""

from __future__ import annotations

import statistics
from pathlib import Path

from console import COMMAND, Spent, run
from marks import Mark

from training.fit import Advance

DEMO, COLD_START = 120.0, 1.0  # seconds at most
PATIENTS, STARTS = 5000, 5


def sit(folder: Path, advance: Advance, patients: int = PATIENTS, starts: int = STARTS) -> list[Mark]:
    """`lymphorisk demo` in an empty folder, then `lymphorisk score` of its patient, several times, the first not counted."""
    demo = run(COMMAND, "demo", "--patients", patients, "--out", "demo", folder=folder)
    cold = [_cold_start(folder, number, starts, advance) for number in range(starts + 1)][1:]
    note = f"{demo.processor:.0f} s of the processor, {demo.peak:.0f} MiB"
    return [
        Mark(f"lymphorisk demo, {patients:,} patients, seconds", demo.seconds, most=DEMO, note=note),
        Mark(
            "score of one patient from a cold start, seconds",
            statistics.median(one.seconds for one in cold),
            most=COLD_START,
            note=f"median of {starts}; {statistics.median(one.peak for one in cold):.0f} MiB",
        ),
    ]


def _cold_start(folder: Path, number: int, starts: int, advance: Advance) -> Spent:
    made, out = folder / "demo" / "run-1", folder / f"scores-{number}.csv"
    spent = run(COMMAND, "score", made / "model", made / "patient.ndjson", "--out", out, folder=folder)
    advance("cold starts", number, starts)
    return spent
