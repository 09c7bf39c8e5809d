"""A release is scored only if the ledger vouches for it: whatever was moved or changed by hand is refused, and named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models import artifact
from models.artifact import InvalidArtifact
from models.ledger import HEAD, LEDGER, LOOK, PROMOTED, ROLLED_BACK, InvalidLedger, append
from models.release import CHAMPION, InvalidRelease, keep, point, pointer_to, read_words, resolve, store_of
from models.risk import RiskModel
from models.seal import BrokenSeal, Key

KEY, OTHER = Key(bytes(range(32))), Key(bytes(32))
WHO = {"version": "3", "by": "A. Frey", "approved_by": "B. Olsen", "reason": "a test"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, make_model: Callable[..., RiskModel]) -> tuple[Path, Path]:
    """The folders of two models."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("first", "second"):
        artifact.save(make_model(name=name), folder / name, files={"card.md": b"# card\n"}, provenance={"cohort": name})
    return folder / "first", folder / "second"


def promote(root: Path, folder: Path, kind: str = PROMOTED) -> str:
    """Promotes without a gate, as the gate does once all criteria hold."""
    digest = artifact.load(folder).digest
    root.mkdir(exist_ok=True)
    keep(root, folder, digest)
    point(root, append(root, kind, WHO | {"model": digest}, KEY), KEY)
    return digest


@pytest.fixture
def root(tmp_path: Path, two: tuple[Path, Path]) -> Path:
    """Releases: the first model, then the second, which is the champion."""
    for folder in two:
        promote(tmp_path / "releases", folder)
    return tmp_path / "releases"


def digests(two: tuple[Path, Path]) -> list[str]:
    return [artifact.load(folder).digest for folder in two]


def test_the_folder_of_releases_stands_for_its_champion(root: Path, two: tuple[Path, Path]) -> None:
    found = resolve(root, KEY)
    assert found.digest == digests(two)[1]
    assert found.promotion is not None
    assert (found.promotion.by, found.promotion.approved_by, found.promotion.sequence) == ("A. Frey", "B. Olsen", 2)
    assert found.promotion.champion


def test_whether_the_two_people_were_proved_is_known_of_a_release(root: Path, two: tuple[Path, Path]) -> None:
    claimed = resolve(root, KEY).promotion
    facts = WHO | {"model": digests(two)[1], "proved": {"by": {"by": "key:00000001"}, "approved_by": {"by": "key:00000002"}}}
    point(root, append(root, PROMOTED, facts, KEY), KEY)
    proved = resolve(root, KEY).promotion
    assert claimed is not None
    assert proved is not None
    assert (claimed.proved, proved.proved) == (False, True)
    assert set(proved.as_json()) - set(claimed.as_json()) == {"proved"}


def test_a_release_is_the_artifact_byte_for_byte(root: Path, two: tuple[Path, Path]) -> None:
    kept, given = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in (root / digests(two)[0], two[0]))
    assert kept == given


def test_the_champion_can_be_named_by_its_folder(root: Path, two: tuple[Path, Path]) -> None:
    assert resolve(root / digests(two)[1], KEY).model.name == "second"


def test_an_earlier_release_is_taken_only_when_its_digest_is_pinned(root: Path, two: tuple[Path, Path]) -> None:
    earlier = digests(two)[0]
    with pytest.raises(InvalidRelease, match=f"is not the champion, which is {digests(two)[1]}"):
        resolve(root / earlier, KEY)
    found = resolve(root / earlier, KEY, earlier)
    assert found.promotion is not None
    assert not found.promotion.champion


def test_the_champion_of_another_digest_than_the_pinned_is_refused(root: Path, two: tuple[Path, Path]) -> None:
    with pytest.raises(InvalidRelease, match=f"the pinned digest is {digests(two)[0]}"):
        resolve(root, KEY, digests(two)[0])


def test_after_a_rollback_the_earlier_release_is_the_champion(root: Path, two: tuple[Path, Path]) -> None:
    point(root, append(root, ROLLED_BACK, WHO | {"model": digests(two)[0]}, KEY), KEY)
    assert resolve(root, KEY).model.name == "first"


def test_looks_move_no_champion(root: Path) -> None:
    append(root, LOOK, {"model": "m", "cohort": "c"}, KEY)
    assert resolve(root, KEY).model.name == "second"


def test_a_model_that_was_only_copied_there_is_no_release(
    root: Path, tmp_path: Path, make_model: Callable[..., RiskModel]
) -> None:
    digest = artifact.save(make_model(name="third"), tmp_path / "third", files={}, provenance={})
    shutil.copytree(tmp_path / "third", root / digest)
    with pytest.raises(InvalidRelease, match="was never promoted: the ledger does not name it"):
        resolve(root / digest, KEY, digest)


@pytest.mark.parametrize("name", ["model.json", "trees.npz", "card.md", "manifest.json"])
def test_no_byte_of_the_champion_can_be_changed(root: Path, two: tuple[Path, Path], name: str) -> None:
    path = root / digests(two)[1] / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidRelease, match="the release is not as it was promoted"):
        resolve(root, KEY)


def test_another_whole_artifact_does_not_pass_for_the_champion(root: Path, two: tuple[Path, Path]) -> None:
    first, second = digests(two)
    shutil.rmtree(root / second)
    shutil.copytree(root / first, root / second)
    with pytest.raises(InvalidRelease, match=rf"not as it was promoted: .* has digest {first}: the pinned digest is {second}"):
        resolve(root, KEY)


def test_a_champion_that_was_removed_is_missed(root: Path, two: tuple[Path, Path]) -> None:
    shutil.rmtree(root / digests(two)[1])
    with pytest.raises(InvalidRelease, match=r"not as it was promoted: .* has no manifest.json"):
        resolve(root, KEY)


def by_hand(root: Path, two: tuple[Path, Path]) -> None:
    first, second = digests(two)
    path = root / CHAMPION
    path.write_text(path.read_text().replace(second, first))


def forge(root: Path, two: tuple[Path, Path]) -> None:
    from models.ledger import read_ledger

    earlier = read_ledger(root, KEY)[0]
    (root / CHAMPION).write_bytes(pointer_to(earlier, OTHER).replace(OTHER.name.encode(), KEY.name.encode()))


@pytest.mark.parametrize("move", [by_hand, forge])
def test_a_pointer_moved_without_the_key_is_refused(
    root: Path, two: tuple[Path, Path], move: Callable[[Path, tuple[Path, Path]], None]
) -> None:
    move(root, two)
    with pytest.raises(InvalidRelease, match=r"champion.json does not bear its seal.*: the pointer was moved by hand"):
        resolve(root, KEY)


def test_an_older_pointer_put_back_is_refused_with_the_way_out(root: Path, two: tuple[Path, Path]) -> None:
    older = (root / CHAMPION).read_bytes()
    promote(root, two[0])
    (root / CHAMPION).write_bytes(older)
    said = r"stands at entry 2 .* and the ledger's last is 3 .* or the last promotion was not finished. lymphorisk promote"
    with pytest.raises(InvalidRelease, match=said):
        resolve(root, KEY)


def test_a_missing_pointer_is_refused_with_the_way_out(root: Path) -> None:
    (root / CHAMPION).unlink()
    with pytest.raises(InvalidRelease, match=r"champion.json is missing.*lymphorisk promote with the same VERSION"):
        resolve(root, KEY)


def test_an_older_ledger_with_its_head_is_found_out_by_the_pointer(root: Path, two: tuple[Path, Path]) -> None:
    older = {name: (root / name).read_bytes() for name in (LEDGER, HEAD)}
    promote(root, two[0])
    for name, content in older.items():
        (root / name).write_bytes(content)
    with pytest.raises(InvalidRelease, match="knows of entry 3, and the ledger ends at 2: an older copy was put back"):
        resolve(root, KEY)


def test_a_pointer_of_other_releases_is_refused(root: Path, tmp_path: Path, two: tuple[Path, Path]) -> None:
    append(tmp_path / "elsewhere", LOOK, {}, KEY)
    promote(tmp_path / "elsewhere", two[1])
    shutil.copy(tmp_path / "elsewhere" / CHAMPION, root / CHAMPION)
    with pytest.raises(InvalidRelease, match="names another entry 2 than the ledger holds"):
        resolve(root, KEY)


def test_a_broken_ledger_makes_every_release_unloadable(root: Path, two: tuple[Path, Path]) -> None:
    path = root / LEDGER
    path.write_bytes(path.read_bytes().replace(b"A. Frey", b"B. Frey", 1))
    for place, pin in ((root, None), (root / digests(two)[0], digests(two)[0])):
        with pytest.raises(InvalidLedger, match="line 1 was altered"):
            resolve(place, KEY, pin)


def test_without_the_right_key_nothing_is_loaded(root: Path) -> None:
    with pytest.raises(BrokenSeal, match="another key"):
        resolve(root, OTHER)


@pytest.mark.parametrize("left", [(), (CHAMPION,), (LEDGER,), (HEAD,)])
def test_removing_the_evidence_makes_no_ordinary_folder_of_a_release(
    root: Path, two: tuple[Path, Path], left: tuple[str, ...]
) -> None:
    for name in {CHAMPION, LEDGER, HEAD} - set(left):
        (root / name).unlink()
    release = root / digests(two)[1]
    assert store_of(release) == root
    with pytest.raises(BrokenSeal, match=r"nothing was ever promoted|is missing|an older copy was put back|were removed"):
        resolve(release, KEY, release.name)


def test_an_ordinary_artifact_folder_is_no_release(two: tuple[Path, Path]) -> None:
    assert store_of(two[0]) is None
    with pytest.raises(InvalidRelease, match="is no folder of releases"):
        resolve(two[0], KEY)


def test_what_is_kept_is_verified_before_and_after(tmp_path: Path, two: tuple[Path, Path]) -> None:
    first, second = digests(two)
    with pytest.raises(InvalidArtifact, match="the pinned digest is"):
        keep(tmp_path, two[0], second)
    kept = keep(tmp_path, two[0], first)
    assert keep(tmp_path, two[0], first) == kept
    (kept / "card.md").write_bytes(b"# better\n")
    with pytest.raises(InvalidRelease, match=r"card\.md differs"):
        keep(tmp_path, two[0], first)
    assert sorted(path.name for path in tmp_path.iterdir()) == [first]


def test_a_copy_that_was_not_finished_is_begun_anew(tmp_path: Path, two: tuple[Path, Path]) -> None:
    first = digests(two)[0]
    (tmp_path / f".{first}.part").mkdir()
    (tmp_path / f".{first}.part" / "half").write_bytes(b"")
    assert artifact.load(keep(tmp_path, two[0], first)).digest == first


def test_the_words_of_the_pointer_can_be_kept_elsewhere_and_read_back(root: Path) -> None:
    words = (root / CHAMPION).read_text().rstrip("\n")
    assert read_words(words, KEY)["sequence"] == 2
    with pytest.raises(BrokenSeal, match="does not bear its seal"):
        read_words(words.replace('"sequence":2', '"sequence":1'), KEY)
