"""A champion that changes while the service runs: verified, kept, recorded, and taken as one value; or not taken, and said."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from models import artifact
from models.artifact import Artifact, load
from models.ledger import AT_SITE, PROMOTED, ROLLED_BACK, append
from models.release import CHAMPION, keep, point, resolve
from models.risk import RiskModel
from models.seal import Key
from serving.current import Current
from serving.openapi.document import document
from serving.receipts.record import NoReceipt
from serving.watching import PATIENCE, Releases, Watch

KEY = Key(b"s" * 32)


class Kept:
    """Remembers which models were kept with the receipts; refuses when told to."""

    def __init__(self) -> None:
        self.digests: list[str] = []
        self.refuses = False

    def __call__(self, found: Artifact, folder: Path) -> None:
        if self.refuses:
            raise NoReceipt("the disk is full")
        assert load(folder).digest == found.digest
        self.digests.append(found.digest)


@pytest.fixture
def folders(tmp_path: Path, model_folder: Path, make_model: Callable[..., RiskModel]) -> tuple[Path, Path]:
    artifact.save(make_model(name="earlier"), tmp_path / "earlier", files={}, provenance={})
    return tmp_path / "earlier", model_folder


@pytest.fixture
def root(tmp_path: Path, folders: tuple[Path, Path]) -> Path:
    found = tmp_path / "releases"
    found.mkdir()
    promoted(found, folders[0], "1")
    return found


def promoted(root: Path, folder: Path, version: str, kind: str = PROMOTED) -> str:
    digest = load(folder).digest
    keep(root, folder, digest)
    told = {"model": digest, "version": version, "by": "A. Frey", "approved_by": "B. Olsen"}
    point(root, append(root, kind, told, KEY), KEY)
    return digest


@pytest.fixture
def current(root: Path) -> Current:
    return Current(resolve(root, KEY))


def test_the_next_champion_answers_once_it_is_kept_and_the_one_before_after_a_rollback(
    root: Path, folders: tuple[Path, Path], current: Current
) -> None:
    kept = Kept()
    watch = Watch(Releases(root, KEY, ""), current, kept)
    first = current.artifact.digest
    watch.look()
    assert (current.artifact.digest, kept.digests) == (first, [])
    second = promoted(root, folders[1], "2")
    watch.look()
    assert (current.artifact.digest, kept.digests) == (second, [second])
    assert current.artifact.promotion is not None
    assert current.artifact.promotion.version == "2"
    assert promoted(root, folders[0], "1", ROLLED_BACK) == first
    watch.look()
    assert (current.artifact.digest, kept.digests) == (first, [second, first])


def test_the_contract_is_that_of_the_model_that_answers(
    root: Path, tmp_path: Path, make_model: Callable[..., RiskModel], current: Current
) -> None:
    demanding = make_model(name="demanding", required=("albumin",))
    artifact.save(demanding, tmp_path / "demanding", files={}, provenance={})
    promoted(root, tmp_path / "demanding", "3")
    before = current.contract
    Watch(Releases(root, KEY, ""), current, Kept()).look()
    assert current.contract == document(demanding) != before


def test_what_was_promoted_while_the_service_began_is_seen_at_the_first_look(
    root: Path, folders: tuple[Path, Path], current: Current
) -> None:
    second = promoted(root, folders[1], "2")
    Watch(Releases(root, KEY, ""), current, Kept()).look()
    assert current.artifact.digest == second


def test_an_evaluation_at_the_site_is_told_of_without_another_model(root: Path, current: Current) -> None:
    kept = Kept()
    watch = Watch(Releases(root, KEY, "Later Hospital"), current, kept)
    watch.look()
    assert current.artifact.at_site is None
    facts = {"90": {"value": 1.0, "low": 0.9, "high": 1.1}}
    told = {"model": current.artifact.digest, "site": "Later Hospital", "patients": 300, "horizons": facts, "cohort": "c"}
    append(root, AT_SITE, told | {"cohort_digest": "d", "by": "A. Frey"}, KEY)
    watch.look()
    assert current.artifact.at_site is not None
    assert kept.digests == []


@pytest.mark.parametrize("damaged", ["pointer", "artifact", "receipts"])
def test_what_cannot_be_trusted_is_not_taken_and_said_when_it_lasts(
    root: Path, folders: tuple[Path, Path], current: Current, damaged: str
) -> None:
    kept, first = Kept(), current.artifact.digest
    pointer = (root / CHAMPION).read_bytes()
    watch = Watch(Releases(root, KEY, ""), current, kept)
    watch.look()
    second = promoted(root, folders[1], "2")
    whole = (root / second / "model.json").read_bytes()
    after = (root / CHAMPION).read_bytes()
    if damaged == "pointer":
        (root / CHAMPION).write_bytes(pointer)
    elif damaged == "artifact":
        (root / second / "model.json").write_bytes(whole.replace(b"0", b"1", 1))
    kept.refuses = damaged == "receipts"
    for looks in range(1, PATIENCE + 2):
        watch.look()
        assert (current.artifact.digest, bool(current.fault)) == (first, looks >= PATIENCE)
    (root / CHAMPION).write_bytes(after)
    (root / second / "model.json").write_bytes(whole)
    kept.refuses = False
    watch.look()
    assert (current.artifact.digest, current.fault, kept.digests) == (second, "", [second])


def test_a_thread_of_its_own_looks_every_second(root: Path, folders: tuple[Path, Path], current: Current) -> None:
    with Watch(Releases(root, KEY, ""), current, Kept()):
        second = promoted(root, folders[1], "2")
        until = time.monotonic() + 20
        while current.artifact.digest != second and time.monotonic() < until:
            time.sleep(0.05)
    assert current.artifact.digest == second


def test_nothing_is_read_where_nothing_changed(root: Path, current: Current, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(Releases(root, KEY, ""), current, Kept())
    watch.look()
    monkeypatch.setattr("serving.watching.resolve", None)
    watch.look()
