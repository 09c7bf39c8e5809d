"""A search in PostgreSQL is the search in a file: several computers share it, count together, and go on where it was stopped."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import postgres
import pytest

import lymphorisk
from training.cohort import Cohort
from training.learners.plan import Plan, Settings, plan_of
from training.refused import NotSupported, SearchInterrupted
from training.study.study import Search
from training.study.tunable import Range
from training.tuning.search import search
from training.tuning.trials import open_trials
from training.tuning.tried import Tried

pytestmark = pytest.mark.usefixtures("one_thread")
LINEAR = Search(trials=5, repeats=1, space={"linear.penalty": Range(5, 320), "linear.change": Range(0.5, 32)})
STUDY = """\
features = ["ln_nlr", "albumin", "ecog"]
learners = ["linear"]
folds = 2
refits = 2
[search]
trials = 8
repeats = 1
space = { linear = { penalty = [10, 160] } }
storage = "%s"
"""


@pytest.fixture(scope="module")
def server(debian: Callable[[str, str | None], str]) -> Iterator[str]:
    """The folder of the socket of a PostgreSQL of our own, which ends with these tests; it never runs as root."""
    with postgres.server(debian("postgresql", postgres.programs()), "-c fsync=off") as found:
        yield found.home


def asked(url: str, statement: str) -> list[tuple[object, ...]]:
    """What a statement says, on a connection of its own."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else []


@pytest.fixture
def database(server: str, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of the server, as a study writes it: without a driver and without a password."""
    name = re.sub(r"\W", "_", request.node.name)[-40:]
    asked(f"postgresql://search@/postgres?host={server}", f"CREATE DATABASE {name}")
    return f"postgresql://search@/{name}?host={server}"


@pytest.fixture(scope="module")
def plan(small_cohort: Cohort) -> Plan:
    return plan_of(small_cohort, Settings(learner="linear", folds=2, features=("ln_nlr", "albumin", "ecog")))


def _soon(true: Callable[[], bool]) -> bool:
    """Whether it becomes true within two seconds: a server needs a moment to notice that somebody hung up."""
    return any(true() or time.sleep(0.02) for _ in range(100))


def values(told: list[Tried]) -> list[tuple[float, ...]]:
    return [tuple(one.values.values()) for one in sorted(told, key=lambda one: one.number)]


def test_it_is_the_search_that_a_file_would_have_had_and_holds_no_connection_while_it_fits(
    plan: Plan, database: str, tmp_path: Path
) -> None:
    def stop(doing: str, done: int, total: int) -> None:
        if "trial 2, fold 2" in doing:
            raise KeyboardInterrupt

    def look(doing: str, done: int, total: int) -> None:
        if "fold" in doing:
            closed.append(_soon(lambda: asked(database, f"SELECT count(*) FROM pg_stat_activity WHERE {others}") == [(0,)]))

    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    closed: list[bool] = []
    in_file: list[Tried] = []
    told: list[Tried] = []
    whole = search(plan, LINEAR, f"sqlite:///{tmp_path / 'trials.db'}", tell=in_file.append)
    with pytest.raises(SearchInterrupted, match="stopped after 2 of 5 trials, which are kept"):
        search(plan, LINEAR, database, advance=stop)
    found = search(plan, LINEAR, database, advance=look, tell=told.append)
    assert set(closed) == {True}
    assert values(told) == values(in_file)
    assert found.as_json() == whole.as_json()


def test_two_trainings_count_their_trials_together_and_a_third_goes_on(
    small_file: Path, database: str, tmp_path: Path
) -> None:
    """At most the one trial that each was at is more than were asked for."""
    study = tmp_path / "study.toml"
    study.write_text(STUDY % database, encoding="utf-8")

    def trained(name: str, *more: str) -> subprocess.Popen[str]:
        quick = ("--no-tracking", "--no-splits", "--bootstrap", "0", "--json", "--releases", str(tmp_path / "releases"))
        words = [lymphorisk.__file__, "train", str(small_file), "--study", str(study), "--out", str(tmp_path / name)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([sys.executable, *words, *quick, *more], text=True, **pipes)  # type: ignore[call-overload]

    def tried(process: subprocess.Popen[str]) -> int:
        out, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
        return int(json.loads(out)["search"]["tried"])

    both = [tried(process) for process in [trained("one"), trained("two")]]
    assert set(both) <= {8, 9}
    assert tried(trained("three", "--trials", "11")) == 11
    assert list(tmp_path.glob("*.db")) == [], "nothing is kept in a file beside"
    count = "SELECT count(DISTINCT study_id), count(*) FROM trials WHERE state IN ('COMPLETE', 'PRUNED')"
    assert asked(database, count) == [(1, 11)]


def test_many_may_begin_at_the_same_moment(database: str) -> None:
    ready = threading.Barrier(6)

    def begin(number: int) -> str:
        ready.wait()
        return str(open_trials(database, "one", "median").study_name)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(begin, range(6))) == ["one"] * 6


def test_a_database_that_is_not_there_is_said_not_to_be(database: str) -> None:
    with pytest.raises(NotSupported, match=r"search\.storage postgresql://search@.*: it cannot be opened .*does not exist"):
        open_trials(database.replace("search@/", "search@/nowhere_"), "one", "median")


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(NotSupported, match=r"search\.storage postgresql://ann@host/trials: .*psycopg is not installed"):
        open_trials("postgresql://ann@host/trials", "one", "median")
