"""The database in which the trials of a search are kept: whoever opens the same one goes on where the others are."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from training.cohort import Cohort
from training.learners.plan import Settings
from training.refused import NotSupported
from training.study.study import Search
from training.study.tunable import TUNABLE, Range
from training.tuning.tried import Tried

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
LEARNER, BY_FOLD, USUAL = "learner", "by_fold", "usual"  # kept of a trial beside what Optuna keeps
FIRST_TRIALS, FIRST_FOLDS = 5, 2  # nothing is given up before so many trials are whole, nor in the first folds
_WAIT = 60  # seconds for which a locked SQLite file is waited for
_AT_ONCE, _MADE_ALREADY = 10, ("already exists", "UNIQUE constraint", "duplicate key", "no such table", 'relation "')
_POSTGRESQL = "postgresql+psycopg"  # psycopg 3; SQLAlchemy would take psycopg2 where a URL names no driver


def name_of(cohort: Cohort, settings: Settings, search: Search) -> str:
    """The same for all who search the same space on the same cohort with the same code; how many trials they ask may differ."""
    asked = {name: value for name, value in asdict(settings).items() if name not in ("refits", "tree_refits")}
    asked |= {"repeats_of_the_search": search.repeats, "pruner": search.pruner}
    space = {name: (one.low, one.high) for name, one in search.space.items()}
    said = {"cohort": cohort.digest, "code": version("lymphorisk"), "settings": asked, "space": space}
    return "lymphorisk-" + hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def storage_of(declared: Search, out: Path) -> str:
    """The URL of the database: the declared one, else that of a file beside the artifact folder `out`, whose parent is made."""
    if declared.storage:
        return declared.storage
    out.parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{out.with_name(out.name + '-search.db').resolve()}"


def open_trials(url: str, name: str, pruner: str) -> optuna.Study:
    """The trials of that name in the database, which are none yet where nobody has begun. Raises NotSupported."""
    shown, driven = make_url(url).render_as_string(hide_password=True), _driven(make_url(url))
    with quiet():
        try:
            storage = _opened(driven)
            return optuna.create_study(
                storage=storage, study_name=name, direction="maximize", load_if_exists=True, pruner=_pruner(pruner)
            )
        except (ImportError, SQLAlchemyError) as error:
            raise NotSupported(f"search.storage {shown}: it cannot be opened ({_why(driven, error)})") from error


def _driven(url: URL) -> URL:
    """The URL with the driver that the extra `postgresql` brings, where it names PostgreSQL and no driver."""
    return url.set(drivername=_POSTGRESQL) if url.drivername == "postgresql" else url


def _why(url: URL, error: Exception) -> str:
    if isinstance(error, ImportError) and url.drivername == _POSTGRESQL:
        return "psycopg is not installed; it comes with lymphorisk[postgresql]"
    return str(error).splitlines()[0]


def _opened(driven: URL) -> RDBStorage:
    """The database. Whoever begins at the same moment makes the same tables, and one of the two finds them made already."""
    url, local = driven.render_as_string(hide_password=False), driven.get_backend_name() == "sqlite"
    # of a server no connection is kept while a trial is fitted: it would be in the way of others, or closed when it is wanted
    connect: dict[str, object] = {"connect_args": {"timeout": _WAIT}} if local else {"poolclass": NullPool}
    for again in range(_AT_ONCE):
        try:
            return RDBStorage(url, engine_kwargs=connect)
        except (IntegrityError, OperationalError, ProgrammingError) as error:
            if not any(word in str(error) for word in _MADE_ALREADY):
                raise
            time.sleep(0.1 * (again + 1))
    return RDBStorage(url, engine_kwargs=connect)


def _pruner(name: str) -> BasePruner:
    return MedianPruner(FIRST_TRIALS, n_warmup_steps=FIRST_FOLDS + 1) if name == "median" else NopPruner()


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna says on standard error what the progress bar says already; for once it does not."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def distributions(space: Mapping[str, Range]) -> dict[str, BaseDistribution]:
    """The space as Optuna knows it."""
    return {name: _distribution(one, TUNABLE[name].log, TUNABLE[name].whole) for name, one in space.items()}


def _distribution(one: Range, log: bool, whole: bool) -> BaseDistribution:
    if whole:
        return IntDistribution(int(one.low), int(one.high), log=log)
    return FloatDistribution(one.low, one.high, log=log)


def tried_of(trial: FrozenTrial) -> Tried:
    """A finished trial in our own words."""
    said = trial.user_attrs
    ipa = trial.value if trial.state == TrialState.COMPLETE else None
    return Tried(trial.number, trial.params, ipa, said.get(LEARNER, ""), tuple(said.get(BY_FOLD, ())), USUAL in said)
