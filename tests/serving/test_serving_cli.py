"""The commands that score and serve: exit codes, what goes to which stream, and what a scoring process never loads."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from models.example import EXAMPLE
from serving import cli

RECEIPTS = ("sqlalchemy", "alembic", "cryptography", "jinja2", "sqlite3")
NEVER = ("xgboost", "pandas", "sklearn", "shap", "mlflow", "scipy", "matplotlib", "training")


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    app = typer.Typer()
    cli.mount(app)
    return app


def line(id: str = "p1", age: float = 61) -> str:
    albumin = {"analyte": "albumin", "value": 3.6, "unit": "g/dL", "date": "2026-01-01"}
    alc = {"analyte": "alc", "value": 800, "unit": "/mm3", "date": "2026-01-01"}
    return json.dumps({"id": id, "as_of": "2026-01-02", "age_years": age, "tumour": "nsclc", "measurements": [albumin, alc]})


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    path = tmp_path / "patients.ndjson"
    path.write_text(line() + "\n")
    return path


def run(app: typer.Typer, *arguments: object) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, [str(one) for one in arguments])
    return found.exit_code, found.stdout, found.stderr


def test_scores_go_to_the_file_and_messages_to_stderr(app: typer.Typer, model_folder: Path, patients: Path) -> None:
    out = patients.with_name("scores.csv")
    code, stdout, stderr = run(app, "score", model_folder, patients, "--out", out)
    assert (code, stdout) == (0, "")
    assert stderr.splitlines()[0] == "no receipts are kept of these scores: --receipts DIR keeps them"
    assert "1 scored, 0 refused" in stderr
    assert len(out.read_text().splitlines()) == 2


def test_a_refused_patient_is_named_and_the_command_says_so_with_its_exit_code(
    app: typer.Typer, model_folder: Path, patients: Path
) -> None:
    patients.write_text(line("a") + "\n" + line("b", age=17) + "\n")
    code, stdout, stderr = run(app, "score", model_folder, patients, "--out", patients.with_name("s.csv"), "--json")
    report = json.loads(stdout)
    assert code == 1
    assert (report["scored"], [one["id"] for one in report["refused"]]) == (1, ["b"])
    assert "b: not eligible: age_years = 17" in stderr


def test_an_index_date_that_has_not_come_is_refused(app: typer.Typer, model_folder: Path, patients: Path) -> None:
    later = (datetime.now(UTC).date() + timedelta(days=3)).isoformat()
    patients.write_text(line().replace("2026-01-02", later) + "\n")
    code, _, stderr = run(app, "score", model_folder, patients, "--out", patients.with_name("s.csv"))
    assert (code, "as_of" in stderr, "0 scored, 1 refused" in stderr) == (1, True, True)


def test_rows_of_somebody_else_are_counted_on_stderr(app: typer.Typer, model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'patient = "id"\n[tables]\npatients = "p.csv"\nmeasurements = "m.csv"\n'
        '[patient_fields]\nage_years = "age"\nsex = "sex"\ntumour = "tumour"\n'
    )
    (tmp_path / "p.csv").write_text("id,age,sex,tumour\na,61,female,nsclc\n")
    blood = "a,0,alc,800,/mm3\na,0,albumin,3.6,g/dL\n"
    (tmp_path / "m.csv").write_text("patient,day,analyte,value,unit\n" + blood + "elsewhere,0,alc,800,/mm3\n")
    code, stdout, stderr = run(app, "score", model_folder, tmp_path / "c.toml", "--out", tmp_path / "s.csv")
    assert (code, stdout) == (0, "")
    assert "warning: m.csv: 1 row was not used, of 1 patient not in p.csv" in stderr
    assert "elsewhere" not in stderr


def test_a_long_list_of_refused_patients_is_cut_short_on_stderr(app: typer.Typer, model_folder: Path, patients: Path) -> None:
    patients.write_text("".join(line(f"p{place}", age=3) + "\n" for place in range(25)))
    code, _, stderr = run(app, "score", model_folder, patients, "--out", patients.with_name("s.csv"))
    assert code == 1
    assert "and 5 more" in stderr


def test_what_a_simulated_model_says_begins_by_saying_so(app: typer.Typer, simulated_folder: Path, patients: Path) -> None:
    code, stdout, _ = run(app, "score", simulated_folder, patients, "--out", patients.with_name("s.csv"), "--json")
    assert (code, next(iter(json.loads(stdout)))) == (0, "example")
    assert EXAMPLE in run(app, "score", simulated_folder, patients, "--out", patients.with_name("s.csv"))[2]


def test_only_the_model_of_a_pinned_digest_is_taken(app: typer.Typer, model_folder: Path, patients: Path) -> None:
    code, _, stderr = run(app, "score", model_folder, patients, "--out", patients.with_name("s.csv"), "--digest", "0" * 64)
    assert (code, "the pinned digest is" in stderr) == (1, True)


def test_a_folder_that_is_no_model_is_refused(app: typer.Typer, tmp_path: Path, patients: Path) -> None:
    code, _, stderr = run(app, "score", tmp_path, patients, "--out", patients.with_name("s.csv"))
    assert (code, "no manifest.json" in stderr) == (1, True)


def test_a_cohort_file_at_fault_is_refused_as_a_whole(app: typer.Typer, model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('table = "nowhere.csv"\n[patient_fields]\nage_years = "age"\ntumour = "t"\n')
    code, _, stderr = run(app, "score", model_folder, tmp_path / "c.toml", "--out", tmp_path / "s.csv")
    assert (code, "table nowhere.csv" in stderr) == (1, True)


def test_usage_errors_have_their_own_exit_code(app: typer.Typer, model_folder: Path, patients: Path) -> None:
    assert run(app, "score", model_folder, "nowhere.ndjson", "--out", "s.csv")[0] == 2
    assert run(app, "score", model_folder, patients, "--out", patients)[0] == 2


def test_a_model_of_simulated_patients_is_not_served_outside_dev(app: typer.Typer, simulated_folder: Path) -> None:
    code, _, stderr = run(app, "serve", "--model", simulated_folder)
    assert (code, "simulated patients" in stderr) == (1, True)


def test_nobody_is_served_where_nobody_has_a_key(app: typer.Typer, model_folder: Path, tmp_path: Path) -> None:
    place = ("--access", tmp_path / "access", "--access-key", tmp_path / "access.key")
    asked = ("serve", "--model", model_folder, "--receipts", tmp_path / "r", "--receipts-key", tmp_path / "k", *place)
    code, _, stderr = run(app, *asked)
    assert (code, "nobody could be let in: no access key at" in stderr, "lymphorisk keys add" in stderr) == (1, True, True)
    assert run(app, "keys", "add", "A. Frey", "--role", "auditor", *place)[0] == 0
    (made,) = json.loads(run(app, "keys", "list", "--json", *place)[1])
    assert run(app, "keys", "revoke", made["prefix"], "--reason", "left", *place)[0] == 0
    code, _, stderr = run(app, *asked)
    assert (code, "no key in" in stderr) == (1, True)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "hospital.example"])
def test_only_loopback_addresses_are_served(app: typer.Typer, model_folder: Path, host: str) -> None:
    code, _, stderr = run(app, "serve", "--model", model_folder, "--host", host)
    assert (code, "loopback" in stderr) == (1, True)


def test_a_model_in_mlflow_is_fetched_by_a_process_of_its_own(
    app: typer.Typer, model_folder: Path, patients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[list[str]] = []

    def child(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        called.append(command)
        Path(command[command.index("--out") + 1]).symlink_to(model_folder)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", child)
    code, _, _ = run(app, "score", "models:/lymphorisk@champion", patients, "--out", patients.with_name("s.csv"))
    assert code == 0
    assert called[0][1:5] == ["-m", "lymphorisk", "fetch", "models:/lymphorisk@champion"]


def test_a_model_that_cannot_be_fetched_is_refused_with_the_reason(
    app: typer.Typer, patients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "no such alias")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    code, _, stderr = run(app, "score", "models:/x@y", patients, "--out", patients.with_name("s.csv"))
    assert (code, "no such alias" in stderr) == (1, True)


SCORING = """
import sys
from typer.testing import CliRunner
import typer
from serving import cli
app = typer.Typer(); cli.mount(app)
found = CliRunner().invoke(app, sys.argv[1:])
assert found.exit_code == 0, found.output
print(*sys.modules)
"""


def loaded_modules(code: str, *arguments: object) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_a_process_that_scores_loads_nothing_that_trains(model_folder: Path, patients: Path) -> None:
    found = loaded_modules(SCORING, "score", model_folder, patients, "--out", patients.with_name("s.csv"))
    assert not found.intersection((*NEVER, *RECEIPTS, "starlette", "pyarrow"))
    assert "numpy" in found


@pytest.mark.parametrize("name", ["s.ndjson", "s.parquet"])
def test_no_kind_of_scores_loads_what_trains(model_folder: Path, patients: Path, name: str) -> None:
    pytest.importorskip("pyarrow", reason="the training extra brings pyarrow")
    found = loaded_modules(SCORING, "score", model_folder, patients, "--out", patients.with_name(name))
    assert not found.intersection((*NEVER, *RECEIPTS, "starlette"))


def test_a_process_that_serves_loads_nothing_that_trains(simulated_folder: Path, tmp_path: Path) -> None:
    code = "import serving.http_server as at; at.serve = lambda *_: None\n" + SCORING
    kept = ("--receipts", tmp_path / "r", "--receipts-key", tmp_path / "k")
    found = loaded_modules(code, "serve", "--model", simulated_folder, "--dev", "--port", 0, *kept)
    assert not found.intersection(NEVER)
    assert "starlette" in found


def test_one_patient_is_scored_from_a_cold_start_within_a_second(model_folder: Path, patients: Path) -> None:
    code = "import typer; from serving import cli; app = typer.Typer(); cli.mount(app); app()"
    arguments = [sys.executable, "-c", code, "score", str(model_folder), str(patients), "--out", str(patients.with_name("s.csv"))]
    seconds = []
    for _ in range(3):  # the best of three: other processes share the computer
        begun = time.perf_counter()
        subprocess.run(arguments, check=True, capture_output=True)
        seconds.append(time.perf_counter() - begun)
    assert min(seconds) < 1.0
