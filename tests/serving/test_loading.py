"""What scores is what the ledger says: the champion of the releases is loaded with its story, anything moved is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from models import artifact
from models.ledger import PROMOTED, append
from models.release import CHAMPION, keep, point
from models.risk import RiskModel
from models.seal_key import read_or_make_key
from serving import cli
from serving.access.desk import Desk
from serving.app import create_app
from serving.loading import Where, found_model, load_model
from serving.receipts.payload import Receipts

Release = tuple[Path, Path, str]  # the releases, the seal key, the champion's digest


@pytest.fixture
def releases(tmp_path: Path, model_folder: Path, make_model: Callable[..., RiskModel]) -> Release:
    root, path = tmp_path / "releases", tmp_path / "seal.key"
    key = read_or_make_key(path, lambda said: None)
    artifact.save(make_model(name="earlier"), tmp_path / "earlier", files={}, provenance={})
    root.mkdir()
    digest = ""
    for version, folder in (("1", tmp_path / "earlier"), ("2", model_folder)):
        digest = artifact.load(folder).digest
        keep(root, folder, digest)
        told = {"model": digest, "version": version, "by": "A. Frey", "approved_by": "B. Olsen"}
        point(root, append(root, PROMOTED, told, key), key)
    return root, path, digest


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    albumin = {"analyte": "albumin", "value": 3.6, "unit": "g/dL", "date": "2026-01-01"}
    alc = {"analyte": "alc", "value": 800, "unit": "/mm3", "date": "2026-01-01"}
    patient = {"id": "p", "as_of": "2026-01-02", "age_years": 61, "tumour": "nsclc", "measurements": [albumin, alc]}
    path = tmp_path / "patients.ndjson"
    path.write_text(json.dumps(patient) + "\n")
    return path


@pytest.fixture
def in_mlflow(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Says which artifact MLflow has at the alias, by a child process that copies it."""

    def keeps(folder: Path) -> None:
        def child(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            shutil.copytree(folder, command[command.index("--out") + 1])
            return subprocess.CompletedProcess(command, 0, "", "")

        monkeypatch.setattr(subprocess, "run", child)

    return keeps


def score(*arguments: object) -> tuple[int, str, str]:
    app = typer.Typer()
    cli.mount(app)
    found = CliRunner().invoke(app, ["score", *map(str, arguments)])
    return found.exit_code, found.stdout, found.stderr


def test_the_champion_scores_and_every_row_says_who_promoted_it(releases: Release, patients: Path) -> None:
    root, key, digest = releases
    out = patients.with_name("s.ndjson")
    code, stdout, stderr = score(root, patients, "--out", out, "--seal-key", key, "--json")
    assert code == 0, stderr
    told = json.loads(stdout)["model"]
    assert (told["digest"], told["release"]["version"], told["release"]["sequence"]) == (digest, "2", 2)
    answer = json.loads(out.read_text())
    assert answer["model"]["release"]["approved_by"] == "B. Olsen"
    assert any("by A. Frey, approved by B. Olsen (entry 2 of the ledger)" in sentence for sentence in answer["standing"])


def test_the_numbers_are_those_of_the_same_artifact_elsewhere(releases: Release, patients: Path, model_folder: Path) -> None:
    root, key, _ = releases
    risks = []
    for model in (root, model_folder):
        out = patients.with_name("s.ndjson")
        assert score(model, patients, "--out", out, "--seal-key", key)[0] == 0
        risks.append(json.loads(out.read_text())["risks"])
    assert risks[0] == risks[1]


def test_the_service_tells_the_release_of_its_model(releases: Release, receipts: Receipts) -> None:
    root, key, digest = releases
    app = create_app(load_model(str(root), where=Where(seal_key=key)), receipts, access=Desk())

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lymphorisk") as client:
            return await client.get("/v1/model")

    import asyncio

    told = asyncio.run(ask()).json()
    assert told["digest"] == digest
    assert told["release"]["by"] == "A. Frey"
    assert told["release"]["champion"] is True


def test_a_model_that_was_not_promoted_claims_nothing(model_folder: Path, patients: Path) -> None:
    out = patients.with_name("s.ndjson")
    assert score(model_folder, patients, "--out", out)[0] == 0
    assert set(json.loads(out.read_text())["model"]) == {"name", "digest"}


def test_a_pointer_moved_by_hand_stops_the_scoring(releases: Release, patients: Path) -> None:
    root, key, digest = releases
    path = root / CHAMPION
    path.write_text(path.read_text().replace(digest, "0" * 64))
    for place in (root, root / digest):
        code, _, stderr = score(place, patients, "--out", patients.with_name("s.csv"), "--seal-key", key)
        assert (code, "the pointer was moved by hand" in stderr) == (1, True)


def test_a_byte_changed_after_promotion_stops_the_scoring(releases: Release, patients: Path) -> None:
    root, key, digest = releases
    path = root / digest / "model.json"
    path.write_bytes(path.read_bytes().replace(b"hand-made", b"hand-maid"))
    code, _, stderr = score(root, patients, "--out", patients.with_name("s.csv"), "--seal-key", key)
    assert (code, "not as it was promoted" in stderr) == (1, True)


def test_without_the_key_nothing_in_a_store_is_scored(releases: Release, patients: Path, tmp_path: Path) -> None:
    root, _, digest = releases
    code, _, stderr = score(root / digest, patients, "--out", patients.with_name("s.csv"), "--seal-key", tmp_path / "none")
    assert (code, "no seal key at" in stderr) == (1, True)


def test_the_alias_of_mlflow_is_believed_where_it_names_the_champion(
    releases: Release, patients: Path, model_folder: Path, in_mlflow: Callable[[Path], None]
) -> None:
    root, key, digest = releases
    in_mlflow(model_folder)
    found = load_model("models:/lymphorisk@champion", where=Where(releases=root, seal_key=key))
    assert found.digest == digest
    assert found.promotion is not None


def test_the_alias_of_mlflow_moved_by_hand_stops_the_scoring(
    releases: Release, patients: Path, in_mlflow: Callable[[Path], None]
) -> None:
    root, key, digest = releases
    in_mlflow(root.parent / "earlier")
    where = ("--releases", root, "--seal-key", key)
    code, _, stderr = score("models:/lymphorisk@champion", patients, "--out", patients.with_name("s.csv"), *where)
    assert code == 1
    assert "the alias was moved by hand" in stderr
    assert digest in stderr


def test_a_version_of_mlflow_without_the_alias_is_an_ordinary_model(
    releases: Release, patients: Path, in_mlflow: Callable[[Path], None]
) -> None:
    root, key, _ = releases
    in_mlflow(root.parent / "earlier")
    assert load_model("models:/lymphorisk/1", where=Where(releases=root, seal_key=key)).promotion is None


def test_the_folder_of_what_was_found_holds_that_model(
    releases: Release, model_folder: Path, in_mlflow: Callable[[Path], None]
) -> None:
    root, key, digest = releases
    in_mlflow(model_folder)
    for named in (str(root), str(root / digest), str(model_folder), "models:/lymphorisk@champion"):
        with found_model(named, where=Where(releases=root, seal_key=key)) as (found, folder):
            assert artifact.load(folder).digest == found.digest == digest
    assert not folder.exists()  # what was fetched is gone when nobody needs it any more
