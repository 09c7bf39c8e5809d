"""`lymphorisk keys`: what an administrator makes, lists and takes back; the key itself is shown once and never again."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from models.api_keys import KeyRing, looks_like_key, read_keys
from models.identity import Role
from models.ledger import LEDGER
from models.seal_key import ACCESS, read_key
from serving import cli

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `keys`, with an access folder of the test's own."""
    app = typer.Typer()
    cli.mount(app)
    place = ["--access", f"{tmp_path / 'access'}", "--access-key", f"{tmp_path / 'access.key'}"]
    return lambda verb, *words: CliRunner().invoke(app, ["keys", verb, *map(str, words), *place])


def kept(folder: Path) -> KeyRing:
    return KeyRing.of(read_keys(folder / "access", read_key(folder / "access.key", ACCESS)))


def test_a_new_key_is_alone_on_standard_output_and_opens_in_the_name_it_was_made_for(run: Run, tmp_path: Path) -> None:
    made = run("add", "Ward 3", "--role", "clinician", "--role", "auditor", "--unit", "Ward 3", "--days", "7")
    assert made.exit_code == 0, made.output
    (key,) = made.stdout.splitlines()
    assert looks_like_key(key)
    found = kept(tmp_path).find(key, datetime.now(UTC))
    assert found is not None
    assert (found.name, found.unit, found.roles) == ("Ward 3", "Ward 3", frozenset({Role.CLINICIAN, Role.AUDITOR}))
    assert key not in made.stderr
    assert "it is shown this once" in made.stderr
    assert "a new access key is in" in made.stderr


def test_a_key_written_to_a_file_is_for_its_owner_alone_and_on_no_screen(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "ward-3.key"
    made = run("add", "A. Frey", "--role", "auditor", "--out", out)
    assert (made.exit_code, made.stdout) == (0, "")
    key = out.read_text().strip()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert key not in made.output
    assert kept(tmp_path).find(key, datetime.now(UTC)) is not None


def test_where_the_file_is_there_already_it_is_left_alone_and_no_key_is_made(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "ward-3.key"
    out.write_text("of somebody else")
    made = run("add", "A. Frey", "--role", "auditor", "--out", out)
    assert (made.exit_code, "File exists" in made.stderr, out.read_text()) == (1, True, "of somebody else")
    assert not (tmp_path / "access").exists()


def test_where_no_key_can_be_made_no_file_is_left_and_every_fault_is_named(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "ward-3.key"
    refused = run("add", "\x1b[2J", "--role", "clinician", "--days", "0", "--out", out)
    assert refused.exit_code == 1
    assert all(field in refused.stderr for field in ("NAME", "--unit", "--days"))
    assert "\x1b" not in refused.stderr
    assert not out.exists()


@pytest.mark.parametrize("role", ["root", "Clinician ", ""])
def test_there_are_four_roles_and_no_other(run: Run, role: str) -> None:
    refused = run("add", "A. Frey", "--role", role)
    assert refused.exit_code == 2
    assert "administrator" in refused.stderr


def test_the_list_tells_whose_keys_are_good_and_holds_no_secret(run: Run, tmp_path: Path) -> None:
    assert run("add", "x", "--role", "auditor").exit_code == 0
    people = (("A. Frey", "auditor"), ("B. Okoro", "administrator"))
    keys = [run("add", name, "--role", role).stdout.strip() for name, role in people]
    prefix = keys[0].split("_")[1]
    assert run("revoke", prefix, "--reason", "left the hospital").exit_code == 0
    told, lines = json.loads(run("list", "--json").stdout), run("list").stdout
    assert [(one["name"], one["good"], bool(one["revoked"])) for one in told] == [
        ("x", True, False),
        ("A. Frey", False, True),
        ("B. Okoro", True, False),
    ]
    for key in keys:
        assert key.rpartition("_")[2] not in json.dumps(told) + lines
    taken_back = next(line for line in lines.splitlines() if line.startswith(prefix))
    assert "A. Frey (auditor)  taken back " in taken_back
    assert lines.count("good until") == 2


def test_the_list_of_no_keys_says_how_one_is_made(run: Run, tmp_path: Path) -> None:
    assert "no access key at" in run("list").stderr
    run("add", "A. Frey", "--role", "clinician", "--unit", "")  # refused, but for the key that would seal it
    found = run("list")
    assert (found.exit_code, found.stdout, "lymphorisk keys add" in found.stderr) == (0, "", True)


def test_a_key_is_taken_back_once_by_its_prefix_with_a_reason_that_is_kept(run: Run, tmp_path: Path) -> None:
    key = run("add", "A. Frey", "--role", "auditor").stdout.strip()
    prefix = key.split("_")[1]
    assert "--reason" in run("revoke", prefix, "--reason", " ").stderr
    pasted = run("revoke", key, "--reason", "lost")
    assert (pasted.exit_code, key in pasted.output) == (1, False)
    assert kept(tmp_path).find(key, datetime.now(UTC)) is not None
    done = run("revoke", prefix, "--reason", "lost on a train")
    assert (done.exit_code, "taken back" in done.stderr) == (0, True)
    assert kept(tmp_path).find(key, datetime.now(UTC)) is None
    assert b"lost on a train" in (tmp_path / "access" / LEDGER).read_bytes()
    again = run("revoke", prefix, "--reason", "lost")
    assert (again.exit_code, "was revoked at" in again.stderr) == (1, True)


@pytest.mark.parametrize("words", [("list",), ("add", "C. Lund", "--role", "auditor"), ("revoke", "00000000", "--reason", "x")])
def test_keys_changed_by_hand_are_neither_listed_nor_added_to_nor_taken_back(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert run("add", "A. Frey", "--role", "auditor").exit_code == 0
    path = tmp_path / "access" / LEDGER
    path.write_bytes(path.read_bytes().replace(b"auditor", b"clinician"))
    before = path.read_bytes()
    refused = run(*words)
    assert (refused.exit_code, "line 1 was altered" in refused.stderr) == (1, True)
    assert path.read_bytes() == before
