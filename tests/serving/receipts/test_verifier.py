"""The verifier of one file: it needs nothing but Python, reads a store or an export, and says what it cannot see."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from looking import outsider_says
from scenes import KEYS, Scene, scene

from serving.receipts import verifier
from serving.receipts.record import KINDS
from serving.receipts.sealed import export_sealed
from serving.receipts.store import Store
from serving.receipts.writer import open_writer

PROGRAM = Path(verifier.__file__)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene(tmp_path_factory.mktemp("honest"))


def run(*words: object, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Alone: no site packages, no environment, from a folder of its own."""
    command = [python, "-I", "-S", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env={})


def test_it_imports_the_standard_library_alone() -> None:
    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    found = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    found |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in found} <= set(sys.stdlib_module_names)


def test_it_knows_every_kind_of_record() -> None:
    assert [kind for kind in KINDS if not verifier.KIND.fullmatch(kind)] == []


@pytest.mark.parametrize("python", [sys.executable, "python3.11", "python3.12", "python3.13"])
def test_it_is_carried_away_and_runs_on_every_python(python: str, honest: Scene, tmp_path: Path) -> None:
    found = shutil.which(python)
    if found is None or run("-c", "", python=found).returncode:
        pytest.skip(f"{python} is not on this machine")
    program = shutil.copyfile(PROGRAM, tmp_path / "verifier.py")
    done = run(program, honest.folder, "--public-key", KEYS.public_key, "--witness", honest.witness, python=found)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("34 records, 13 heads, last ")
    assert ", 1 erased, " in done.stdout
    assert "not checked, since only the operator can: the seal of each record, and what the encrypted receipts say" in done.stdout
    assert "read from the folder" not in done.stdout


def test_an_export_carries_the_program_that_verifies_it(honest: Scene, tmp_path: Path) -> None:
    out = tmp_path / "export"
    export_sealed(Store.open(honest.folder), out)
    done = run(out / "verifier.py", out, "--public-key", KEYS.public_key.upper(), "--expect-receipt", honest.receipt)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("34 records, 13 heads, last ")
    assert "the chain and the signatures checked hold" in done.stdout
    assert "what was kept elsewhere is in the chain: 1 signed receipts or heads" in done.stdout
    assert "--all-heads checks each" in done.stdout


def test_it_says_where_the_public_key_came_from(honest: Scene) -> None:
    done = run(PROGRAM, honest.folder)
    assert done.returncode == 0
    told = f"the public key was read from the folder: ask the operator by another way whether it is {KEYS.public_key}"
    assert told in done.stdout


def test_another_public_key_is_refused(honest: Scene) -> None:
    done = run(PROGRAM, honest.folder, "--public-key", "0" * 64)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no store of format 1 signed with 0000" in done.stderr


def test_all_heads_are_checked_where_that_is_asked_for(honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "receipts")
    first, *rest = made.heads.read_bytes().splitlines(keepends=True)
    at = first.index(b'"signature":"') + 13
    made.heads.write_bytes(first[:at] + (b"00" if first[at : at + 2] != b"00" else b"11") + first[at + 2 :] + b"".join(rest))
    assert run(PROGRAM, made.folder).returncode == 0  # the last head vouches for all that is before it
    done = run(PROGRAM, made.folder, "--all-heads")
    assert done.returncode == 1
    assert "heads.jsonl: head 1 does not bear a signature" in done.stderr


def test_what_is_not_signed_yet_is_told_and_is_no_alarm(honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "receipts")
    made.heads.write_bytes(b"".join(made.heads.read_bytes().splitlines(keepends=True)[:-1]))
    done = run(PROGRAM, made.folder)
    assert done.returncode == 0
    assert "the last 6 are not yet signed (the service stopped between two writes): nothing vouches for them" in done.stdout


def test_nothing_is_written_where_it_looks(honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "receipts")
    before = {path.name: path.read_bytes() for path in made.folder.iterdir() if path.is_file()}
    assert run(PROGRAM, made.folder).returncode == 0
    after = {path.name: path.read_bytes() for path in made.folder.iterdir() if path.is_file()}
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("missing", ["receipts.db", "heads.jsonl"])
def test_a_folder_that_lacks_something_is_refused(missing: str, honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "receipts")
    os.unlink(made.folder / missing)
    done = run(PROGRAM, made.folder)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_command_that_is_not_understood_is_no_verdict(honest: Scene) -> None:
    assert run(PROGRAM).returncode == 2
    assert run(PROGRAM, honest.folder, "--every", "1").returncode == 2


@pytest.mark.parametrize(
    ("name", "said", "says"),
    [
        ("records.jsonl", '"kind":"score"', '"kind":"opened"'),
        ("records.jsonl", '"payload":"', '"payload":"AAAA'),
        ("records.jsonl", '"payload":"', '"payload":"A'),
        ("records.jsonl", '"sequence":2,', '"sequence":2.0,'),
        ("records.jsonl", '"sequence":2,', '"sequence":-2,'),
        ("records.jsonl", '"sequence":1,', '"sequence":true,'),
        ("records.jsonl", '"head":0,', '"head":false,'),
        ("records.jsonl", '"head":0,', '"head":0,"head":0,'),
        ("records.jsonl", '"head":0,', '"head":NaN,'),
        ("records.jsonl", '"head":0,', '"head":' + "9" * 5000 + ","),
        ("records.jsonl", '"subject":"', '"subject":"\\ud800'),
        ("records.jsonl", '"time":"2', '"time":"9'),
        ("store.json", '"format":1', '"format":2'),
        ("store.json", '"format":1', '"format":true'),
        ("store.json", '"id":"', '"id":"0'),
        ("store.json", '"public_key":"', '"public_key":"0'),
    ],
)
def test_an_export_that_was_altered_is_refused(name: str, said: str, says: str, honest: Scene, tmp_path: Path) -> None:
    out = tmp_path / "export"
    export_sealed(Store.open(honest.folder), out)
    written = (out / name).read_text(encoding="utf-8")
    assert said in written
    (out / name).write_text(written.replace(said, says, 1), encoding="utf-8")
    assert outsider_says(out)


def test_an_empty_store_is_whole(tmp_path: Path) -> None:
    with open_writer(tmp_path / "receipts", KEYS):
        pass
    done = run(PROGRAM, tmp_path / "receipts")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("0 records, 0 heads, ")


def test_a_receipt_is_looked_for_in_an_answer_of_several(honest: Scene, tmp_path: Path) -> None:
    receipt = json.loads(honest.receipt.read_text())["receipt"]
    assert list(verifier.receipts({"scores": [{"receipt": receipt}, {"title": "no"}]})) == [receipt]
    assert list(verifier.receipts(receipt)) == [receipt]
    assert list(verifier.receipts({"receipt": None})) == []
