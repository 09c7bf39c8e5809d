"""A run is kept whole in a real MLflow store, and tells nothing of patients, of this machine or of its user."""

import getpass
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from models import artifact
from models.artifact import InvalidArtifact
from models.design import design_matrix
from models.patient import Patient
from serving.wire import read_line
from training.cohort import Cohort
from training.fit import Fit, Settings
from training.telling.pictures import draw_pictures
from training.tracking.fetch import fetch
from training.tracking.track import Tracked, Tracking, track
from training.tracking.tracked_numbers import numbers
from training.validate import EVERYBODY, Validation

PYFUNC = Path(__file__).parents[2] / "serving" / "pyfunc.py"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Tracking:
    folder = tmp_path_factory.mktemp("store")
    return Tracking(uri=f"sqlite:///{folder / 'kept' / 'mlflow.db'}", pyfunc=PYFUNC, registered_name="small")


@pytest.fixture(scope="module")
def keep(
    store: Tracking,
    small_cohort: Cohort,
    small_settings: Settings,
    small_fit: Fit,
    small_validation: Validation,
    small_artifact: Path,
) -> Any:
    """Keeps the small run once more, where nothing is changed by name."""

    def kept(tracking: Tracking = store, **changes: Any) -> Tracked:
        pictures = changes.pop("pictures", ())
        digest = changes.pop("digest", artifact.load(small_artifact).digest)
        return track(tracking, small_cohort, small_settings, small_fit, small_validation, small_artifact, digest, pictures)

    return kept


@pytest.fixture(scope="module")
def working_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody else's project, which MLflow would copy into a model."""
    folder = tmp_path_factory.mktemp("cwd")
    for name in ("pyproject.toml", "uv.lock"):
        (folder / name).write_text("[project]\nname = 'somebody-else'\n")
    return folder


@pytest.fixture(scope="module")
def tracked(
    keep: Any,
    working_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    small_cohort: Cohort,
    small_fit: Fit,
    small_evidence: dict[str, dict[str, Any]],
) -> Tracked:
    pictures = draw_pictures(small_cohort, small_fit, small_evidence, tmp_path_factory.mktemp("pictures"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(working_folder)
        kept: Tracked = keep(pictures=pictures)
    return kept


@pytest.fixture
def client(store: Tracking, tracked: Tracked) -> Iterator[MlflowClient]:
    """A client of the store, which is MLflow's global one for the test."""
    mlflow.set_tracking_uri(store.uri)
    yield MlflowClient()
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # None is how it is unset


@pytest.fixture(scope="module")
def folder(store: Tracking, tracked: Tracked) -> Path:
    """Where the store keeps everything."""
    return Path(store.uri.removeprefix("sqlite:///")).parent


@pytest.fixture(scope="module")
def model_folder(folder: Path, tracked: Tracked) -> Path:
    return folder / "mlruns" / "lymphorisk" / "models" / tracked.model_uri.removeprefix("models:/") / "artifacts"


def _line(**changes: Any) -> str:
    """A line of the service's NDJSON: somebody made up."""
    labs = {"alc": (0.8, "10*9/L"), "anc": (5.6, "10*9/L"), "albumin": (33, "g/L"), "ca19_9": (420, "U/mL"), "crp": (24, "mg/L")}
    labs |= changes.pop("labs", {})
    measured = [{"analyte": name, "value": v, "unit": unit, "date": "2026-03-01"} for name, (v, unit) in labs.items()]
    patient = {"id": "a", "as_of": "2026-03-02", "age_years": 61, "sex": "male", "tumour": "pancreatic", "measurements": measured}
    return json.dumps(patient | {"history": {"prior_lines": 2}} | changes)


LINES = [
    _line(),
    _line(labs={"alc": (300, "cells/uL")}),
    _line(tumour="nsclc", age_years=44.5),
    _line(labs={"albumin": (4.1, "g/dL"), "crp": (3, "mg/L")}, sex="female"),
    _line(history={"prior_lines": 5, "steroids_14d": "yes"}, labs={"ca19_9": ("<2.0", "U/mL")}),
]


def test_what_was_decided_is_kept(client: MlflowClient, tracked: Tracked, small_cohort: Cohort, small_fit: Fit) -> None:
    params = client.get_run(tracked.run_id).data.params
    assert params["seed"] == "1"
    assert params["refits"] == "4"
    assert params["horizons"] == "30, 60, 90, 180, 365"
    assert params["features"] == "all that the cohort supports"
    assert params["saved_learner"] == small_fit.learner == "ensemble"
    assert params["cohort_digest"] == small_cohort.digest
    assert params["patients"] == str(len(small_cohort))


def test_every_statistic_is_kept_with_its_interval_and_its_horizon(
    client: MlflowClient, tracked: Tracked, small_fit: Fit, small_validation: Validation
) -> None:
    kept = client.get_run(tracked.run_id).data.metrics
    auc = small_validation.evaluations[EVERYBODY].horizons[180.0].auc
    assert (kept["auc_180d"], kept["auc_180d_low"], kept["auc_180d_high"]) == (auc.value, auc.low, auc.high)
    assert kept["fold_mean/ipa_180d"] == small_validation.fold_means[EVERYBODY]["ipa_180d"]
    assert set(kept) == {number.name for number in numbers(small_fit, small_validation)}
    curve = client.get_metric_history(tracked.run_id, "by_horizon/auc")
    assert sorted(one.step for one in curve) == [30, 60, 90, 180, 365]
    assert client.get_metric_history(tracked.run_id, "auc_180d")[0].step == 180


def test_the_metrics_are_also_those_of_the_model(client: MlflowClient, tracked: Tracked) -> None:
    logged = client.get_logged_model(tracked.model_uri.removeprefix("models:/"))
    assert logged.status == "READY"
    assert logged.params["cohort_digest"] == client.get_run(tracked.run_id).data.params["cohort_digest"]
    assert {one.key for one in logged.metrics or []} >= {"auc_90d", "uno_c", "calibration_slope_365d"}


def test_the_cohort_is_an_input_by_its_digest_and_no_more(client: MlflowClient, tracked: Tracked, small_cohort: Cohort) -> None:
    inputs = client.get_run(tracked.run_id).inputs
    assert inputs is not None
    (found,) = inputs.dataset_inputs
    assert found.dataset.digest == small_cohort.digest[:36]
    assert json.loads(found.dataset.source) == {
        "cohort": small_cohort.name,
        "source": "simulated",
        "sha256": small_cohort.digest,
    }
    size = {"patients": len(small_cohort), "deaths": int(small_cohort.follow_up.deaths.sum())}
    assert json.loads(found.dataset.profile or "") == size
    assert found.dataset.schema is None


def test_the_run_is_described_and_an_example_says_so_first(client: MlflowClient, tracked: Tracked, small_fit: Fit) -> None:
    run = client.get_run(tracked.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.note.content"].startswith("EXAMPLE: simulated patients, not a real risk")
    assert run.data.tags["lymphorisk.trained_on"] == "simulated"
    assert run.data.tags["lymphorisk.promotable"] == str(small_fit.model.facts["promotable"]).lower() == "false"
    assert "sample size after Riley" in run.data.tags["mlflow.note.content"]


def test_pictures_card_flow_and_artifact_are_kept(
    client: MlflowClient, tracked: Tracked, small_artifact: Path, tmp_path: Path
) -> None:
    assert {one.path for one in client.list_artifacts(tracked.run_id)} == {"artifact", "card.md", "flow.json", "pictures"}
    assert len(client.list_artifacts(tracked.run_id, "pictures")) == 15
    flow = json.loads(Path(client.download_artifacts(tracked.run_id, "flow.json", str(tmp_path))).read_text())
    assert flow["flow"][0]["reason"] == "rows read"
    assert flow["flow"][-1]["remaining"] == 491
    kept = Path(client.download_artifacts(tracked.run_id, "artifact", str(tmp_path)))
    assert artifact.load(kept).digest == artifact.load(small_artifact).digest


def test_the_model_is_registered_with_its_signature(client: MlflowClient, tracked: Tracked, small_artifact: Path) -> None:
    version = client.get_model_version("small", tracked.registered_version)
    assert version.source == tracked.model_uri
    assert version.run_id == tracked.run_id
    assert version.tags["lymphorisk.digest"] == artifact.load(small_artifact).digest
    signature = mlflow.models.get_model_info(tracked.model_uri).signature
    assert signature is not None
    assert signature.inputs.input_names() == ["patient"]
    assert signature.outputs.input_names() == ["answer", *(f"risk_{day}d" for day in (30, 60, 90, 180, 365))]


def test_the_environment_names_this_distribution_and_no_pickler(model_folder: Path) -> None:
    required = (model_folder / "requirements.txt").read_text().split()
    assert required[0].startswith("lymphorisk[serving]==")
    assert sorted(line.split("==")[0] for line in required[1:]) == ["mlflow", "numpy", "pandas"]
    everything = "".join(path.read_text() for path in model_folder.glob("*.*") if path.suffix in (".txt", ".yaml"))
    assert "cloudpickle" not in everything + (model_folder / "MLmodel").read_text()


def test_there_is_no_pickle_and_no_file_of_the_working_folder(model_folder: Path, working_folder: Path) -> None:
    files = {path.relative_to(model_folder).as_posix() for path in model_folder.rglob("*") if path.is_file()}
    kept = {"booster.ubj", "card.json", "card.md", "manifest.json", "model.json", "trees.npz"}
    kept |= {"cohort.json", "evaluation.json", "learner.json", "risks.json"}
    described = {"MLmodel", "conda.yaml", "input_example.json", "python_env.yaml", "pyfunc.py", "requirements.txt"}
    assert files == described | {"serving_input_example.json"} | {f"artifacts/model/{name}" for name in kept}
    assert not any(path.read_bytes()[:2] in (b"\x80\x04", b"\x80\x05") for path in model_folder.rglob("*") if path.is_file())
    assert sorted(path.name for path in working_folder.iterdir()) == ["pyproject.toml", "uv.lock"]


def test_the_pyfunc_gives_the_risks_of_the_model_to_the_bit(
    client: MlflowClient, tracked: Tracked, small_fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    loaded = mlflow.pyfunc.load_model(f"models:/small/{tracked.registered_version}")
    answers = loaded.predict(pd.DataFrame({"patient": LINES}))
    patients = [patient for line in LINES if isinstance(patient := read_line(line.encode()), Patient)]
    expected = small_fit.model.score(design_matrix(small_fit.model.design, patients)).risk
    assert len(patients) == len(LINES)
    assert np.array_equal(answers[[f"risk_{day}d" for day in small_fit.model.days]].to_numpy(), expected)
    assert all("EXAMPLE: simulated patients" in answer for answer in answers["answer"])


def test_the_example_of_the_input_is_nobody_and_is_answered(client: MlflowClient, tracked: Tracked) -> None:
    loaded = mlflow.pyfunc.load_model(tracked.model_uri)
    example = loaded.input_example
    answer = loaded.predict(example)
    assert json.loads(example["patient"][0])["id"] == "example"
    assert 0 < answer["risk_90d"][0] < 1


def test_no_patient_path_or_user_is_told(folder: Path, tracked: Tracked, small_cohort: Cohort, small_file: Path) -> None:
    # __pycache__ is Python's own, made where a logged model is loaded from the store: it was never logged
    logged = [path for path in (folder / "mlruns").rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    texts = {path.name: path.read_text(errors="ignore") for path in logged}
    texts |= _told(folder / "mlflow.db")
    forbidden = [str(folder), str(small_file.parent), str(Path.home()), str(PYFUNC.parent), tempfile.gettempdir() + os.sep]
    forbidden += ["file://", f'"{getpass.getuser()}"', *(patient.id for patient in small_cohort.patients[:20])]
    for name, text in texts.items():
        assert [word for word in forbidden if word in text] == [], name


def _told(database: Path) -> dict[str, str]:
    """Every text of the store, but for the places where it keeps its own files."""
    with sqlite3.connect(database) as store:
        tables = [name for (name,) in store.execute("select name from sqlite_master where type = 'table'")]
        texts = {}
        for table in tables:
            columns = [row[1] for row in store.execute(f'pragma table_info("{table}")')]
            told = [column for column in columns if column not in ("artifact_uri", "artifact_location", "storage_location")]
            texts[table] = json.dumps(store.execute(f'select {", ".join(told)} from "{table}"').fetchall(), default=str)
    store.close()
    return texts


def test_the_user_and_the_program_are_neutral(client: MlflowClient, tracked: Tracked) -> None:
    run = client.get_run(tracked.run_id)
    assert run.info.user_id == run.data.tags["mlflow.user"] == "lymphorisk"
    assert run.data.tags["mlflow.source.name"] == "lymphorisk train"


def test_nothing_is_printed_and_the_global_store_is_as_before(
    keep: Any, tracked: Tracked, capfd: pytest.CaptureFixture[str]
) -> None:
    mlflow.set_tracking_uri("sqlite:///elsewhere.db")
    try:
        again = keep()
        assert mlflow.get_tracking_uri() == "sqlite:///elsewhere.db"
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # None is how it is unset
    assert capfd.readouterr().out == ""
    assert int(again.registered_version) == int(tracked.registered_version) + 1
    assert not Path("elsewhere.db").exists()


def test_another_artifact_is_refused_before_anything_is_kept(keep: Any, tmp_path: Path) -> None:
    tracking = Tracking(uri=f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}", pyfunc=PYFUNC)
    with pytest.raises(InvalidArtifact, match="the pinned digest is 0000"):
        keep(tracking, digest="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_breaks_off_is_marked_as_failed_and_registers_nothing(
    client: MlflowClient, store: Tracking, keep: Any
) -> None:
    broken = Tracking(uri=store.uri, pyfunc=PYFUNC.with_name("nowhere.py"), experiment="broken", registered_name="broken")
    with pytest.raises(MlflowException, match=r"nowhere\.py"):
        keep(broken)
    experiment = client.get_experiment_by_name("broken")
    assert experiment is not None
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == ["FAILED"]
    assert [one.status for one in client.search_logged_models([experiment.experiment_id])] == ["FAILED"]
    assert client.search_registered_models("name = 'broken'") == []


@pytest.mark.parametrize("kind", ["model", "version", "alias", "run"])
def test_fetch_brings_the_artifact_back_whole(
    kind: str, client: MlflowClient, store: Tracking, tracked: Tracked, small_artifact: Path, tmp_path: Path
) -> None:
    client.set_registered_model_alias("small", "champion", tracked.registered_version)
    uri = {
        "model": tracked.model_uri,
        "version": f"models:/small/{tracked.registered_version}",
        "alias": "models:/small@champion",
        "run": f"runs:/{tracked.run_id}/artifact",
    }[kind]
    assert fetch(uri, tmp_path / "model", store.uri) == artifact.load(small_artifact).digest
    assert {path.name for path in (tmp_path / "model").iterdir()} == {path.name for path in small_artifact.iterdir()}


def test_a_damaged_artifact_is_not_left_behind(keep: Any, store: Tracking, folder: Path, tmp_path: Path) -> None:
    damaged = keep(Tracking(uri=store.uri, pyfunc=PYFUNC, experiment="damaged", registered_name="damaged"))
    (model,) = (folder / "mlruns" / "damaged").rglob("models/*/artifacts/artifacts/model/model.json")
    model.write_bytes(model.read_bytes().replace(b"0.1", b"0.2", 1))
    with pytest.raises(InvalidArtifact, match=r"model\.json differs from its SHA-256"):
        fetch(damaged.model_uri, tmp_path / "fetched", store.uri)
    assert not (tmp_path / "fetched").exists()


def test_a_model_that_is_not_there_is_said_to_be_missing(store: Tracking, tracked: Tracked, tmp_path: Path) -> None:
    for uri in ("models:/small/99", "models:/small@nobody", f"models:/m-{'0' * 32}", f"runs:/{'0' * 32}/artifact"):
        with pytest.raises(LookupError, match=f"{uri}: MLflow does not find it"):
            fetch(uri, tmp_path / "out", store.uri)


def test_fetch_overwrites_nothing_and_knows_only_mlflow(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    with pytest.raises(FileExistsError, match="is not empty: an artifact is fetched into a new folder"):
        fetch("models:/small/1", tmp_path)
    with pytest.raises(LookupError, match=r"https://example\.org/model: allowed is models:/"):
        fetch("https://example.org/model", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_mlflow_is_imported_late_and_reports_to_nobody() -> None:
    """In a process of its own, without the variables by which MLflow knows a test; fetching brings in nothing that trains."""
    code = (
        "import sys, training.tracking.fetch, training.tracking.mlflow_store\n"
        "assert not {'mlflow', 'xgboost', 'pandas', 'shap'} & set(sys.modules)\n"
        "training.tracking.mlflow_store.client_of('sqlite://')\n"
        "from mlflow.telemetry import get_telemetry_client; assert get_telemetry_client() is None"
    )
    known = ("PYTEST_CURRENT_TEST", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI", "GITHUB_ACTIONS", "GITLAB_CI")
    environment = {name: value for name, value in os.environ.items() if name not in known}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
