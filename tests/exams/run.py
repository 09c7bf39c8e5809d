"""Sit the exams: `uv run python tests/exams/run.py`, or some of them by name. Exit code 1 where a figure falls short of its bar.

They take some minutes on two cores. The one on real patients needs LYMPHORISK_COHORTS, the folder of their tables.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import chowell
import covered
import cuts
import faults
import filing
import first_hour
import fuzzing
import growth
import hooks
import intervals
import kills
import kills_postgres
import landmarks
import load
import million
import omop
import overload
import promotion
import replay
import rescue
import search
import slow_sockets
import speed
import tampering
import tampering_postgres
import throughput
import traced
import truth
from marks import Mark, table

from training.progress import Bars

EXAMS: Mapping[str, Callable[..., list[Mark]]] = {
    "truth": truth.sit,
    "chowell": chowell.sit,
    "search": search.sit,
    "growth": growth.sit,
    "intervals": intervals.sit,
    "filing": filing.sit,
    "first-hour": first_hour.sit,
    "cuts": cuts.sit,
    "coverage": covered.sit,
    "speed": speed.sit,
    "tampering": tampering.sit,
    "tampering-postgres": tampering_postgres.sit,
    "million": million.sit,
    "kills": kills.sit,
    "kills-postgres": kills_postgres.sit,
    "traced": traced.sit,
    "faults": faults.sit,
    "replay": replay.sit,
    "hooks": hooks.sit,
    "promotion": promotion.sit,
    "load": load.sit,
    "receipts": throughput.sit,
    "schemathesis": fuzzing.sit,
    "overload": overload.sit,
    "slow": slow_sockets.sit,
    "omop": omop.sit,
    "landmarks": landmarks.sit,
    "rescue": rescue.sit,
}


def main() -> int:
    """Sit the exams named on the command line, all without names; 1 where a bar was missed."""
    asked = argparse.ArgumentParser(description=__doc__)
    # argparse holds the empty list, which means all of them, against the choices too
    asked.add_argument("exams", nargs="*", choices=[[], *EXAMS], metavar="EXAM", help=f"one of {', '.join(EXAMS)}")
    short = 0
    for name in asked.parse_args().exams or EXAMS:
        marks = _sat(name)
        short += sum(mark.falls_short for mark in marks)
        print(f"\n{name}\n{table(marks) if marks else 'not sat: LYMPHORISK_COHORTS is not set'}", flush=True)
    print(f"\n{short} short of their bars" if short else "\nevery bar holds")
    return min(short, 1)


def _sat(name: str) -> list[Mark]:
    with tempfile.TemporaryDirectory() as folder, Bars() as bars:
        return EXAMS[name](Path(folder), bars)


if __name__ == "__main__":
    sys.exit(main())
