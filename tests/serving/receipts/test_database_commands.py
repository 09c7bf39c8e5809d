"""Commands find receipts in PostgreSQL by --database or by the environment, as they find them in a file without it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from child import EXAMPLE_PATIENT
from postgres import Server
from scenes import EXAMPLE
from typer.testing import CliRunner

from serving import cli

Urls = tuple[str, str]
Run = Callable[..., tuple[int, str, str]]
ANN = ("--by", "ann", "--reason", "on request")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A command with these words, and a folder and key of receipts."""
    app = typer.Typer()
    cli.mount(app)

    def command(*words: object, **environment: str) -> tuple[int, str, str]:
        known = ("--receipts", tmp_path / "receipts", "--receipts-key", tmp_path / "receipts.key")
        where = {"migrate": (), "backup": known[:2]}.get(str(words[1]), known)
        found = CliRunner(env=environment).invoke(app, list(map(str, (*words, *where))))
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found.exit_code, found.stdout, found.stderr

    return command


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    path = tmp_path / "patients.ndjson"
    rows = [EXAMPLE_PATIENT | {"id": f"p-{number}"} for number in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def scored(run: Run, patients: Path, urls: Urls) -> Urls:
    """Records 2 to 4 of three patients, beside the opening."""
    code, _, said = run("score", EXAMPLE, patients, "--out", patients.with_suffix(".csv"), "--database", urls[0])
    assert code == 0, said
    return urls


def test_every_command_reads_them(scored: Urls, run: Run, tmp_path: Path) -> None:
    there = ("--database", scored[0], "--json")
    assert json.loads(run("audit", "verify", *there)[1])["records"] == 4
    assert json.loads(run("audit", "replay", *there)[1])["verdicts"] == {"equal to the bit": 3}
    assert json.loads(run("audit", "show", "2", *there)[1])["receipts"][0]["sequence"] == 2
    assert json.loads(run("audit", "export", "--out", tmp_path / "table.csv", *there)[1])["receipts"] == 3
    code, _, said = run("audit", "verify")
    assert (code, "there are no receipts" in said) == (1, True), "in the folder alone there are none"


def test_the_environment_names_the_database(scored: Urls, run: Run) -> None:
    assert run("audit", "verify", LYMPHORISK_DATABASE=scored[0])[0] == 0


def test_the_owner_erases_and_the_service_does_not(scored: Urls, run: Run) -> None:
    code, _, said = run("audit", "erase", "--patient", "p-1", *ANN, "--database", scored[0])
    assert code == 1
    assert "nothing was erased: the database refuses to write: permission denied for table data_keys. Only the owner" in said
    assert run("audit", "erase", "--patient", "p-1", *ANN, "--database", scored[1])[0] == 0
    found = json.loads(run("audit", "verify", "--database", scored[0], "--json")[1])
    assert (found["holds"], found["erased"]) == (True, 1)


def test_a_backup_is_taken_with_the_service_s_role(scored: Urls, run: Run, tmp_path: Path) -> None:
    code, told, said = run("audit", "backup", "--out", tmp_path / "copy", "--database", scored[0], "--json")
    assert (code, json.loads(told)["last"]) == (0, 4)
    assert said.startswith("receipts up to record 4 are in")
    assert run("audit", "backup", "--out", tmp_path / "copy", "--database", scored[0])[0] == 1


def test_tables_are_made_by_their_owner_and_asked_for_by_whoever_finds_none(
    postgres: Server, prepared: str, run: Run, patients: Path, tmp_path: Path
) -> None:
    assert prepared  # with it the roles
    postgres.does("CREATE DATABASE unmade OWNER owner")
    scoring = ("score", EXAMPLE, patients, "--out", tmp_path / "out.csv", "--database", postgres.url("unmade", "service"))
    code, _, said = run(*scoring)
    assert (code, (tmp_path / "out.csv").exists()) == (1, False)
    assert "its owner makes them with: lymphorisk audit migrate --database URL --service-role NAME" in said
    made = ("audit", "migrate", "--database", postgres.url("unmade", "owner"), "--service-role")
    assert run(*made, "somebody")[2].startswith("there is no role somebody")
    assert run(*made, "service") == (0, "", "the tables are there; service may add receipts and read them, and nothing else\n")
    assert run(*scoring)[0] == 0


def test_nobody_scores_as_the_owner_of_the_tables(urls: Urls, run: Run, patients: Path, tmp_path: Path) -> None:
    code, _, said = run("score", EXAMPLE, patients, "--out", tmp_path / "out.csv", "--database", urls[1])
    assert code == 1
    assert "owner could alter receipts: give the service a role of its own" in said


def test_a_server_that_cannot_be_reached_is_told_in_one_sentence(run: Run, tmp_path: Path) -> None:
    code, _, said = run("audit", "verify", "--database", f"postgresql://service@/receipts?host={tmp_path}")
    assert (code, "cannot be read as receipts (connection" in said) == (1, True)
    code, _, said = run("audit", "migrate", "--database", f"postgresql://o@/r?host={tmp_path}", "--service-role", "service")
    assert (code, said.startswith("the receipts cannot be read: connection")) == (1, True)
