"""The patients a study keeps for the end: none of them is learned from, and the one model that was chosen is judged on them.

A test cohort wears out: whoever looks at it again and again, and keeps what did well, has chosen by it. So every look is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.risk import RiskModel
from training.cohort import Cohort, read_cohort
from training.comparing.simple_models import SavedSimple
from training.diagnosis.overlap import overlap
from training.judge import judge
from training.judgement import evaluation_lines
from training.progress import Advance, unwatched
from training.refused import NotSupported
from training.small_cells import masked_by_name
from training.study.study import Study
from training.telling.masked_evaluation import masked_evaluation
from training.validate import EVERYBODY, TREATED

_POPULATIONS = {TREATED: TREATED, "inside": "inside the development population"}


@dataclass(frozen=True)
class Looks:
    """Where looks at test cohorts are counted: how often the cohort of a digest was looked at, and a look to be kept.

    `record` takes the digest of the model and the cohort, and returns how often it has been looked at, this time included.
    """

    so_far: Callable[[str], int]
    record: Callable[[str, Cohort], int]


NOBODY = Looks(lambda digest: 0, lambda model, cohort: 0)


@dataclass(frozen=True)
class KeptApart:
    """The test cohorts of a study, none where it has none, and where looks at them are counted."""

    cohorts: tuple[Cohort, ...] = ()
    looks: Looks = NOBODY

    def judge(
        self, model: RiskModel, simple: SavedSimple, *, bootstrap: int, seed: int, advance: Advance = unwatched
    ) -> dict[str, Any] | None:
        """`test.json`: the model on every test cohort as in `evaluation.json`, small groups hidden, and which look this is."""
        found = []
        for cohort in self.cohorts:
            judged = judge(model, cohort, simple=simple, bootstrap=bootstrap, seed=seed, advance=advance)
            known = {"cohort": cohort.name, "digest": cohort.digest, "look": self.looks.so_far(cohort.digest) + 1}
            found.append(known | _masked(judged, len(cohort)))
        return {"cohorts": found} if found else None

    def looked_at_by(self, digest: str) -> None:
        """Keep that the model of this digest was judged on them."""
        for cohort in self.cohorts:
            self.looks.record(digest, cohort)


def kept_apart(
    study: Study | None, development: Cohort, data: Path | None, looks: Looks | None, accept: str = ""
) -> KeptApart:
    """The test cohorts of a study, read; `data` and `accept` as in `read_cohort`.

    Raises NotSupported where one of their patients would be learned from, or where nobody counts looks.
    """
    if study is None or not study.test:
        return KeptApart()
    if looks is None:
        raise NotSupported("a test cohort is judged on only where looks at it are counted, and no ledger was given")
    folder = study.test_data or data
    required = development.required
    cohorts = tuple(read_cohort(path, data=folder, accept=accept, required=required, progress=True) for path in study.test)
    shared = [f"test cohort {one.name}: {why}" for one in cohorts for why in _shared(development, one)]
    if shared:
        raise NotSupported("; ".join(shared))
    return KeptApart(cohorts, looks)


def _shared(development: Cohort, test: Cohort) -> list[str]:
    if development.digest == test.digest:
        return ["it is the development cohort"]
    return [f"{one.why}; who is tested on is not learned from" for one in overlap(development, test) if one.verdict == "Fail"]


def _masked(judged: Mapping[str, Any], patients: int) -> dict[str, Any]:
    apart = {name: judged[key] for key, name in _POPULATIONS.items() if key in judged}
    everybody = {key: value for key, value in judged.items() if key not in (*_POPULATIONS, "recalibrated", "population")}
    told = masked_evaluation({"evaluations": {**apart, EVERYBODY: everybody}}, patients)
    return {"evaluations": told["evaluations"], "population": masked_by_name(judged["population"])}


def look_lines(document: Mapping[str, Any]) -> list[str]:
    """The same for a reader."""
    lines = list[str]()
    for one in document["cohorts"]:
        lines += ["", f"Test cohort {one['cohort']}, look {one['look']} at it"]
        for name, found in one["evaluations"].items():
            lines += [f" {name}, {found['n']} patients", *evaluation_lines(found)]
    return lines
