"""The whole of `train` on real patients with a search: how long it takes, whether it is silent, and what the search is worth."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from chowell import COHORT, TABLES
from marks import Mark

from training.fit import Advance, Settings, fit
from training.run import TrainedRun, train
from training.study.study import Study
from training.study.study_file import read_study_file
from training.tracking.track import Tracking
from training.tuning.varied import settings_of

STUDY = read_study_file(COHORT.with_name("study.toml"))
PYFUNC = Path(__file__).parents[2] / "serving" / "pyfunc.py"
MINUTES, SILENCE = 10, 30  # on two cores; seconds
BOOTSTRAP = 200


@dataclass
class Heard:
    """Passes progress on, and keeps the longest time (seconds) in which there was none."""

    advance: Advance
    last: float = field(default_factory=time.perf_counter)
    longest: float = 0.0
    while_doing: str = ""

    def __call__(self, doing: str, done: int, total: int) -> None:
        now = time.perf_counter()
        if now - self.last > self.longest:
            self.longest, self.while_doing = now - self.last, doing.partition(":")[0]
        self.last = now
        self.advance(doing, done, total)


def sit(folder: Path, advance: Advance, study: Study = STUDY, bootstrap: int = BOOTSTRAP) -> list[Mark]:
    """Train as `train --study` does; nothing where the tables are not at hand."""
    if TABLES is None:
        return []
    tracking = Tracking(uri=f"sqlite:///{folder / 'mlflow.db'}", pyfunc=PYFUNC)
    settings, heard = settings_of(study), Heard(advance)
    began = time.perf_counter()
    run = train(
        COHORT, folder / "model", settings, data=Path(TABLES), study=study, bootstrap=bootstrap, tracking=tracking, advance=heard
    )
    minutes = (time.perf_counter() - began) / 60
    return [
        Mark("minutes on the clock, the whole of train", minutes, most=MINUTES),
        Mark("longest silence, seconds", heard.longest, most=SILENCE, note=f"before: {heard.while_doing}"),
        *_worth(run, settings, advance),
    ]


def _worth(run: TrainedRun, settings: Settings, advance: Advance) -> list[Mark]:
    found = run.found
    if found is None or found.best.ipa is None or found.usual.ipa is None:
        return []
    usual = fit(run.cohort, replace(settings, refits=2, tree_refits=1), advance)
    before, after = max(usual.learner_ipa.values()), run.fit.learner_ipa[run.fit.learner]
    note = f"of which about {found.optimism:.4f} flatters" if found.optimism is not None else ""
    return [
        Mark("settings tried", found.tried, note=f"{found.given_up} given up early"),
        Mark("IPA in the folds of the search, default", found.usual.ipa),
        Mark("IPA in the folds of the search, best", found.best.ipa, least=found.usual.ipa, note=note),
        Mark("IPA in other folds, default", before, note=usual.learner),
        Mark("IPA in other folds, after the search", after, note=run.fit.learner),
    ]
