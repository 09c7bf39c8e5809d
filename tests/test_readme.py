"""Every example of the README runs as it is written."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from models.cohort_file import read_cohort_file
from models.identity import Role
from serving.access.settings import read_oidc
from serving.limits import Limits, read_limits

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
TWO_COMMANDS = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)[:2]


def free_port() -> str:
    """A port of this machine that nobody uses: the one of the README may be taken, by another run of this test for one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.skipif(shutil.which("bash") is None or shutil.which("curl") is None, reason="the examples are for bash with curl")
def test_the_examples_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    # `kill %1` needs job control, which a script has to ask for; a failing line fails the script
    script = "set -e -o pipefail -o monitor\n" + "\n".join(SHELL).replace("8123", free_port())
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr[-4000:]
    trial = tmp_path / "trial"
    assert '"uno_c"' in (trial / "evaluation.json").read_text(encoding="utf-8")
    assert "may this model be believed?" in (trial / "model-report.html").read_text(encoding="utf-8").lower()
    assert "source" in (trial / "card.md").read_text(encoding="utf-8")
    assert (trial / "later.html").stat().st_size > 10_000
    assert '"recalibration.json"' in (trial / "child" / "manifest.json").read_text(encoding="utf-8")
    assert '"search_result"' in (trial / "tuned" / "study.json").read_text(encoding="utf-8")
    assert '"look"' in (trial / "releases" / "ledger.jsonl").read_text(encoding="utf-8")
    assert "refused, with its reasons" in ran.stdout
    rows = (trial / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 3
    assert "term_90d_ln_nlr" in rows[0]
    assert "refused" in rows[2]
    answer = (trial / "answer.json").read_text(encoding="utf-8")
    assert '"risks"' in answer
    assert re.search(r"checked at this site \(Later Hospital\).* on \d+ patients", answer)
    assert "equal to the bit" in ran.stdout
    assert (trial / "receipts.parquet").stat().st_size > 1000
    assert (trial / "receipt.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (trial / "fetched" / "manifest.json").read_bytes() == (trial / "model" / "manifest.json").read_bytes()


def test_the_cohort_file_of_the_readme_can_be_read(tmp_path):
    example, _ = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "cohort.toml"
    path.write_text(example, encoding="utf-8")
    read = read_cohort_file(path)
    assert read.name == "clinic"
    assert [lab.analyte for lab in read.labs] == ["alc", "anc", "ca19_9", "albumin", "ldh"]


def test_the_access_file_of_the_readme_can_be_read(tmp_path):
    _, example = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    secret, path = tmp_path / "secret", tmp_path / "access.toml"
    secret.write_text("a secret\n", encoding="ascii")
    secret.chmod(0o600)
    path.write_text(example.replace("/run/secrets/lymphorisk-oidc", str(secret)), encoding="utf-8")
    found = read_oidc(path)
    assert (found.client_secret, found.roles) == ("a secret", {"oncology-ward": Role.CLINICIAN})
    assert read_limits(path) == Limits(100.0, 200, 128)



def test_ci_runs_the_test_command_of_the_readme():
    command = TWO_COMMANDS[1].strip()
    assert "pytest" in command
    assert command in (Path(__file__).parents[1] / ".ci" / "run").read_text(encoding="utf-8")


def test_the_readme_opens_with_the_two_commands():
    assert "lymphorisk demo" in TWO_COMMANDS[0]
    assert README.index(TWO_COMMANDS[1]) < 2000
