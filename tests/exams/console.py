"""The installed command as its users run it, and what a run of it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(sys.executable).with_name("lymphorisk")
METER = Path(__file__).with_name("meter.py")
# as installed: compiled modules are kept, whatever the shell of the examiner says
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Failed(Exception):
    """A command that did not leave with 0; its own words are on standard error."""


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, seconds of the processor, and the largest memory in MiB."""

    seconds: float
    processor: float
    peak: float


def run(*words: object, folder: Path, said: int | None = None) -> Spent:
    """Run `words` in `folder` and wait; `said`: where standard error goes, ours where nothing is given."""
    command = [str(word) for word in words]
    metered = [sys.executable, "-I", str(METER), *command]
    done = subprocess.run(metered, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=said, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)} left with {done.returncode}")
    return Spent(**json.loads(done.stdout))
