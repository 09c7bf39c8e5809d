"""The key that seals: found, made once, kept from others."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.seal_key import InvalidKey, key_path, read_key, read_or_make_key, readable_by_others


def test_of_many_that_begin_at_once_one_makes_the_key_and_all_have_it(tmp_path: Path) -> None:
    said: list[str] = []
    ready = threading.Barrier(8)

    def begin(_: int) -> bytes:
        ready.wait()
        return read_or_make_key(tmp_path / "folder" / "seal.key", said.append).secret

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(begin, range(8)))) == 1
    assert len(said) == 1
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["seal.key"]


def test_the_key_that_is_given_goes_before_the_one_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LYMPHORISK_SEAL_KEY", str(tmp_path / "named"))
    assert key_path(tmp_path / "given") == tmp_path / "given"
    assert key_path() == tmp_path / "named"


def test_without_either_it_lies_in_the_configuration_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LYMPHORISK_SEAL_KEY", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert key_path() == tmp_path / ".config" / "lymphorisk" / "seal.key"


def test_a_missing_key_is_made_once_for_its_owner_alone_and_somebody_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "new" / "seal.key"
    made = read_or_make_key(path, said.append)
    assert read_or_make_key(path, said.append) == made == read_key(path)
    assert len(said) == 1
    assert "keep a copy" in said[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    said: list[str] = []
    assert read_or_make_key(tmp_path / "a", said.append) != read_or_make_key(tmp_path / "b", said.append)


def test_a_key_that_others_can_read_is_named_with_the_remedy(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "seal.key"
    read_or_make_key(path, said.append)
    path.chmod(0o640)
    read_or_make_key(path, said.append)
    assert said[1] == readable_by_others(path)
    assert f"chmod 600 {path}" in said[1]


def test_without_a_key_nothing_can_be_checked(tmp_path: Path) -> None:
    with pytest.raises(InvalidKey, match="no seal key at"):
        read_key(tmp_path / "nowhere")


@pytest.mark.parametrize("content", ["", "00" * 31, "g" * 64, "00" * 33, "AB" * 32])
def test_a_file_that_holds_no_key_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "seal.key").write_text(content)
    with pytest.raises(InvalidKey, match="holds no seal key: allowed are 64 hex digits") as refused:
        read_key(tmp_path / "seal.key")
    assert not content or content not in str(refused.value)
