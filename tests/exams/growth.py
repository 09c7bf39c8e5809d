"""How long training takes, and how that grows with the cohort."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

from marks import Mark
from threadpoolctl import threadpool_limits

from training.cohort import read_cohort
from training.fit import Advance, Settings, fit
from training.simulation.files import write
from training.simulation.simulate import simulate

SETTINGS = Settings(learner="ensemble")  # like with like: which learner is kept, and so refitted, may differ by size
SIZES = (1_000, 10_000, 100_000)  # patients
SEED = 4
STEEPEST = 1.1  # exponent of training time: no faster than the cohort, but for what a busy computer adds


def sit(folder: Path, advance: Advance, sizes: Sequence[int] = SIZES, settings: Settings = SETTINGS) -> list[Mark]:
    """Read and train with the same settings at every size; processor seconds, which another program's load leaves alone."""
    marks: list[Mark] = []
    spent: list[float] = []
    for patients in sizes:
        path = write(simulate(patients, SEED), folder / str(patients))
        began, clock = time.process_time(), time.perf_counter()
        cohort = read_cohort(path)
        read = time.process_time() - began
        with threadpool_limits(1):
            fit(cohort, settings, advance)
        spent.append(time.process_time() - began)
        note = f"{read:.1f} of them to read; {time.perf_counter() - clock:.0f} s on the clock"
        marks.append(Mark(f"training on {patients:,} patients, processor seconds", spent[-1], note=note))
        if len(spent) > 1:
            exponent = math.log(spent[-1] / spent[-2]) / math.log(patients / sizes[len(spent) - 2])
            marks.append(Mark(f"exponent from {sizes[len(spent) - 2]:,} to {patients:,}", exponent, most=STEEPEST))
    return marks
