"""A study file: one TOML file in which a data scientist says, before training, what is tried and what will count."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from models.ever import ALLOWED, LIKELY, known_only_later
from models.fault import Fault
from models.features import FEATURES
from training.study.criteria import GAINS, Criteria, kinds
from training.study.landmarks import read_landmarks
from training.study.reading import Reading, is_number
from training.study.study import HORIZONS, LEARNERS, PRUNERS, Search, Study
from training.study.tunable import SPACE, TUNABLE, Range

_SCHEME = ("folds", "repeats", "refits", "seed")
_KEYS = ("name", "features", "horizons", "learners", *_SCHEME, "search", "test", "gate", "card", "landmarks")
_SEARCH = ("trials", "repeats", "pruner", "storage", "space")
_STORAGES = ("sqlite", "postgresql")


class InvalidStudy(ValueError):
    """A study file that may not be followed as it stands; `faults` names every one.

    The rule it defends: what a study declares is followed to the letter or nothing is trained.
    """

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def read_study_file(path: Path | str) -> Study:
    """The study in `path`, or InvalidStudy naming every fault of it."""
    path = Path(path)
    if not path.is_file():
        raise InvalidStudy([Fault(str(path), "no such file", "a study file (TOML)")])
    content = path.read_bytes()
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidStudy([Fault(path.name, "a file that is no TOML", "a study file", str(error))]) from error
    reading = Reading(path.name)
    study = _study(reading, document, path, hashlib.sha256(content).hexdigest())
    _contradictions(reading, study)
    if reading.faults:
        raise InvalidStudy(reading.faults)
    return study


def _study(reading: Reading, document: Mapping[str, Any], path: Path, digest: str) -> Study:
    reading.known(document, _KEYS)
    test = reading.table(document, "test")
    return Study(
        name=reading.text(document, "name", path.stem),
        digest=digest,
        features=_features(reading, document),
        horizons=_horizons(reading, document),
        learners=_learners(reading, document),
        folds=reading.count(document, "folds", 5, 2),
        repeats=reading.count(document, "repeats", 1, 1),
        refits=reading.count(document, "refits", 50, 2),
        seed=reading.count(document, "seed", 1, 0),
        search=_search(reading, reading.table(document, "search")) if "search" in document else None,
        test=_test(reading, test, path.parent) if "test" in document else (),
        test_data=path.parent / data if (data := reading.text(test, "data", section="test.")) else None,
        criteria=_criteria(reading, reading.table(document, "gate")),
        card=_card(reading, reading.table(document, "card")),
        landmarks=read_landmarks(reading, reading.table(document, "landmarks")) if "landmarks" in document else None,
    )


def _contradictions(reading: Reading, study: Study) -> None:
    """What is allowed alone and not together."""
    if study.criteria.primary_day not in study.horizons:
        days = ", ".join(f"{day:g}" for day in study.horizons)
        reading.fault("gate.primary_day", study.criteria.primary_day, f"one of the horizons, {days}")
    if study.criteria.require_test and not study.test:
        reading.fault("gate.require_test", True, "true with [test] cohorts")
    for name in ("search", "test") if study.landmarks else ():
        if getattr(study, name):
            reading.fault(name, name, f"[landmarks] without [{name}]: a model for landmarks is fitted with the default settings")


def _features(reading: Reading, document: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "features" not in document:
        return None
    named = reading.texts(document, "features")
    for name in (later := [name for name in named if name not in FEATURES and known_only_later(name)]):
        reading.fault("features", name, ALLOWED, LIKELY)
    own = [name for name in named if not name.startswith("extra.") and name not in later]  # the rest is known with the cohort
    reading.words("features", own, FEATURES)
    if not named:
        reading.fault("features", document["features"], "at least one, or no features at all: then all that the cohort supports")
    return named


def _horizons(reading: Reading, document: Mapping[str, Any]) -> tuple[float, ...]:
    found = document.get("horizons", list(HORIZONS))
    days = found if isinstance(found, list) and all(map(is_number, found)) else []
    if days and all(a < b and b % 1 == 0 for a, b in pairwise((0, *days))):
        return tuple(map(float, days))
    reading.fault("horizons", found, "whole days above 0, each once, ascending")
    return HORIZONS


def _learners(reading: Reading, document: Mapping[str, Any]) -> tuple[str, ...]:
    found = reading.texts(document, "learners") if "learners" in document else LEARNERS
    reading.words("learners", found, LEARNERS)
    if not found:
        reading.fault("learners", document["learners"], "some of " + ", ".join(LEARNERS))
    return tuple(name for name in LEARNERS if name in found)


def _search(reading: Reading, given: Mapping[str, Any]) -> Search:
    reading.known(given, _SEARCH, "search.")
    default = Search()
    return Search(
        trials=reading.count(given, "trials", default.trials, 1, "search."),
        repeats=reading.count(given, "repeats", default.repeats, 1, "search."),
        pruner=reading.word(given, "pruner", default.pruner, PRUNERS, "search."),
        storage=_storage(reading, given),
        space=_space(reading, given),
    )


def _storage(reading: Reading, given: Mapping[str, Any]) -> str:
    url = reading.text(given, "storage", section="search.")
    kind = url.partition(":")[0].partition("+")[0]
    if url and (kind not in _STORAGES or "://" not in url):
        reading.fault("search.storage", kind, "sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    elif url and urlsplit(url).password is not None:
        allowed = "a URL without a password: PGPASSWORD or ~/.pgpass holds it"
        reading.fault("search.storage", "a URL with its password", allowed, "a study file that others will read")
    return url


def _space(reading: Reading, given: Mapping[str, Any]) -> dict[str, Range]:
    if "space" not in given:
        return dict(SPACE)
    nested = reading.table(given, "space", "search.")
    tables = {learner: reading.table(nested, learner, "search.space.") for learner in nested}
    declared = {f"{learner}.{name}": one for learner, table in tables.items() for name, one in table.items()}
    reading.known(declared, TUNABLE, "search.space.")
    found = {name: _range(reading, name, declared) for name in TUNABLE if name in declared}
    if not declared:
        reading.fault("search.space", "nothing", "at least one of " + ", ".join(TUNABLE))
    return found


def _range(reading: Reading, name: str, declared: Mapping[str, Any]) -> Range:
    key, one = f"search.space.{name}", TUNABLE[name]
    found = Range(*reading.band(declared, name, (one.searched.low, one.searched.high), "search.space."))
    if found.low not in one.allowed or found.high not in one.allowed:
        reading.fault(key, found, f"within {one.allowed}")
    elif one.whole and (found.low % 1 or found.high % 1):
        reading.fault(key, found, "whole numbers")
    elif not all(value in found for value in one.defaults):
        default = " and ".join(f"{value:g}" for value in one.defaults)
        reading.fault(key, found, f"a range that holds the default, {default}: so the search ends no worse than without it")
    return found


def _test(reading: Reading, given: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    reading.known(given, ("cohorts", "data"), "test.")
    paths = tuple(folder / name for name in reading.texts(given, "cohorts", "test."))
    if not paths:
        reading.fault("test.cohorts", given.get("cohorts"), 'a list of cohort files, ["FILE.toml"]')
    for path in paths:
        if not path.is_file():
            reading.fault("test.cohorts", path.name, "a cohort file, named from the folder of the study file", "no such file")
    return paths


def _criteria(reading: Reading, given: Mapping[str, Any]) -> Criteria:
    default, section = Criteria(), "gate."
    reading.known(given, kinds(), section)
    read = {"number": reading.number, "band": reading.band, "yes or no": reading.yes_no}
    found: dict[str, Any] = {}
    for name, kind in kinds().items():
        usual = getattr(default, name)
        if kind == "count":
            found[name] = reading.count(given, name, usual, 1, section)
        elif kind == "numbers":
            found[name] = _gains(reading, given, name)
        else:
            found[name] = read[kind](given, name, usual, section=section)  # type: ignore[operator]  # each reads its own kind
    return Criteria(**found)


def _gains(reading: Reading, given: Mapping[str, Any], name: str) -> dict[str, float]:
    declared = reading.table(given, name, "gate.") if name in given else dict(GAINS)
    reading.known(declared, GAINS, f"gate.{name}.")
    return {one: reading.number(declared, one, GAINS[one], f"gate.{name}.") for one in GAINS if one in declared}


def _card(reading: Reading, given: Mapping[str, Any]) -> dict[str, str]:
    return {name: reading.text(given, name, section="card.") for name in given}
