"""A common data model of 100,000 persons and 20 million measurements becomes a cohort, in how long and in how much memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from made_cdm import make
from marks import Mark

PERSONS = 100_000
MINUTES, GIBIBYTES = 10.0, 4.0
_PLAIN = """SELECT count(*) FROM read_parquet('{0}/measurement.parquet') m
    JOIN read_parquet('{0}/person.parquet') p USING (person_id)
    JOIN read_parquet('{0}/observation_period.parquet') o USING (person_id)
    WHERE m.measurement_concept_id = 3004327 AND m.person_id % 10 <> 0 AND m.value_as_number > 0 AND m.unit_concept_id = 8848
    AND m.measurement_date <= o.observation_period_end_date"""


def sit(folder: Path, advance: Callable[..., Any] | None = None, persons: int = PERSONS) -> list[Mark]:
    """The whole command in a process of its own; what it says is held against plain SQL and against arithmetic."""
    source, out = make(folder / "cdm", persons), folder / "cohort"
    began = time.monotonic()
    command = (sys.executable, "-m", "lymphorisk", "import", "omop", str(source), "--out", str(out), "--json")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    minutes = (time.monotonic() - began) / 60
    held = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    said = json.loads(done.stdout)
    ((expected,),) = duckdb.sql(_PLAIN.format(source)).fetchall()
    recognised = sum(sum(fates.values()) for fates in said["results"].values())
    return [
        Mark("measurements", said["read"]["measurement"], least=200 * persons),
        Mark("minutes", minutes, most=MINUTES, note="two threads"),
        Mark("GiB held at most", held, most=GIBIBYTES, note="of the largest process"),
        Mark("rows without a fate", abs(said["read"]["measurement"] - recognised - said["not_read_rows"]), most=0),
        Mark("patients more or fewer than there are", abs(said["flow"][-1]["remaining"] - (persons - persons // 10)), most=0),
        Mark("lymphocyte counts more or fewer than plain SQL finds", abs(said["results"]["alc"]["written"] - expected), most=0),
        Mark("lines a patient", _lines(out), least=2, most=2),
    ]


def _lines(out: Path) -> float:
    treatments = f"read_parquet('{out / 'treatments.parquet'}')"
    of_each = f"SELECT count(DISTINCT line) AS n FROM {treatments} GROUP BY patient"
    ((lines,),) = duckdb.sql(f"SELECT avg(n) FROM ({of_each})").fetchall()
    return float(lines)
