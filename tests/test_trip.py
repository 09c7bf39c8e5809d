"""One patient on every path: training matrix, file, HTTP, MLflow's pyfunc; alone and in company; the same number to the bit."""

import asyncio
import csv
import datetime
import json
from pathlib import Path

import httpx
import mlflow
import pandas as pd
import pytest
from typer.testing import CliRunner

import lymphorisk
from models import artifact
from models.cohort_file import read_cohort_file
from models.seal import Key
from serving.access.desk import Desk
from serving.app import create_app
from serving.receipts.keys import ReceiptKeys
from serving.receipts.writer import open_writer
from training.cohort import read_cohort
from training.fit import Settings
from training.run import train
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.tracking.track import Tracking

AS_OF = datetime.date(2026, 11, 20)
# the same quantity in another spelling: unit in the file -> unit on the wire, factor
SPELLINGS = {"10*9/L": ("cells/uL", 1000), "g/dL": ("g/L", 10)}


@pytest.fixture(scope="module")
def trip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trip")
    path = write(simulate(900, 11), folder / "cohort")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    tracking = Tracking(uri=uri, experiment="trip", registered_name="trip", pyfunc=lymphorisk.PYFUNC)
    run = train(path, folder / "model", Settings(refits=3, tree_refits=1, learner="ensemble"), bootstrap=5, tracking=tracking)
    return run, path, uri


@pytest.fixture(scope="module")
def receipts(tmp_path_factory):
    with open_writer(tmp_path_factory.mktemp("receipts"), ReceiptKeys(Key(b"k" * 32))) as writer:
        yield writer


@pytest.fixture(scope="module")
def expected(trip):
    """The risks of the training matrix, by patient."""
    run, path, _ = trip
    scores = run.fit.model.score(run.fit.matrix)
    return dict(zip([patient.id for patient in read_cohort(path).patients], scores.risk.tolist(), strict=True))


def wire_patient(cohort_path: Path, row: dict[str, str], other_units: bool = False) -> dict[str, object]:
    """A row of the simulated table in the words of the wire."""
    file = read_cohort_file(cohort_path)
    measurements = [_on_the_wire(lab, row, other_units) for lab in file.labs if row[lab.column]]
    history = {}
    for name, cell in file.history.items():
        if row[cell.column]:
            given = row[cell.column]
            history[name] = float(given) if given.replace(".", "", 1).isdigit() else given
    words = {"F": "female", "M": "male", "": "unknown"}
    return {
        "id": row["patient"],
        "as_of": AS_OF.isoformat(),
        "age_years": float(row["age_years"]),
        "sex": words[row["sex"]],
        "tumour": row["tumour"],
        "measurements": measurements,
        "history": history,
    }


def _on_the_wire(lab, row, other_units):
    unit, value = lab.unit, row[lab.column]
    if value[0] not in "<>":
        value = float(value)
        if other_units and unit in SPELLINGS:
            unit, factor = SPELLINGS[unit]
            value = float(f"{value * factor:.10g}")
    measurement = {"analyte": lab.analyte, "value": value, "unit": unit, "date": AS_OF.isoformat()}
    return measurement | ({"uln": float(row[lab.uln_column])} if lab.uln_column and row[lab.uln_column] else {})


def rows_of(path: Path, count: int = 25) -> list[dict[str, str]]:
    with (path.parent / "patients.csv").open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))[:count]


def post(app, body):
    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lymphorisk") as client:
            return await client.post("/v1/scores", json=body)

    return asyncio.run(ask())


def risks_of(answer: dict) -> list[float]:
    return [one["risk"] for one in answer["risks"].values()]


def test_a_cohort_file_scores_as_the_training_matrix(trip, expected, tmp_path):
    run, path, _ = trip
    out = tmp_path / "scores.csv"
    ran = CliRunner().invoke(lymphorisk.app, ["score", str(run.folder), str(path), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    with out.open(newline="", encoding="utf-8") as table:
        scored = {row["id"]: [float(row[f"risk_{day}d"]) for day in run.fit.model.days] for row in csv.DictReader(table)}
    assert scored == expected


def test_a_cohort_file_tells_every_term_of_the_training_matrix(trip, tmp_path):
    run, path, _ = trip
    out = tmp_path / "scores.csv"
    assert CliRunner().invoke(lymphorisk.app, ["score", str(run.folder), str(path), "--out", str(out)]).exit_code == 0
    model = run.fit.model
    scores = model.score(run.fit.matrix)
    with out.open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    for h, day in enumerate(model.days):
        told = [[float(row[f"term_{day}d_{name}"]) for name in model.design.features] for row in rows]
        assert told == scores.terms[:, h].tolist()
        assert [float(row[f"log_odds_{day}d"]) for row in rows] == scores.log_odds[:, h].tolist()


@pytest.mark.parametrize("other_units", [False, True], ids=["as in the file", "units spelled differently"])
def test_http_answers_as_the_training_matrix(trip, expected, other_units, receipts):
    run, path, _ = trip
    app = create_app(artifact.load(run.folder), receipts, access=Desk())
    patients = [wire_patient(path, row, other_units) for row in rows_of(path)]
    together = post(app, {"patients": patients}).json()
    alone = [post(app, patient).json() for patient in patients]
    answers = together["scores"]
    assert [risks_of(one) for one in answers] == [expected[patient["id"]] for patient in patients]
    assert [risks_of(one) for one in alone] == [expected[patient["id"]] for patient in patients]


def test_the_pyfunc_answers_as_the_training_matrix(trip, expected):
    run, path, uri = trip
    mlflow.set_tracking_uri(uri)
    model = mlflow.pyfunc.load_model("models:/trip/1")
    patients = [wire_patient(path, row) for row in rows_of(path)]
    found = model.predict(pd.DataFrame({"patient": [json.dumps(patient) for patient in patients]}))
    columns = [f"risk_{day}d" for day in run.fit.model.days]
    assert found[columns].to_numpy().tolist() == [expected[patient["id"]] for patient in patients]


def test_the_whole_answer_is_the_same_over_http_and_from_the_pyfunc(trip, receipts):
    run, path, uri = trip
    mlflow.set_tracking_uri(uri)
    patients = [wire_patient(path, row) for row in rows_of(path, 8)]
    app = create_app(artifact.load(run.folder), receipts, access=Desk())
    found = mlflow.pyfunc.load_model("models:/trip/1").predict(pd.DataFrame({"patient": [json.dumps(one) for one in patients]}))
    told = [post(app, one).json() for one in patients]
    assert [one.pop("receipt")["public_key"] for one in told] == [receipts.public_key] * len(patients)
    assert [json.loads(answer) for answer in found["answer"]] == told


def test_a_fetched_model_is_the_saved_one(trip, tmp_path):
    run, _, uri = trip
    out = tmp_path / "fetched"
    ran = CliRunner().invoke(lymphorisk.app, ["fetch", "models:/trip/1", "--tracking-uri", uri, "--out", str(out), "--json"])
    assert ran.exit_code == 0, ran.output
    assert artifact.load(out).digest == run.digest


# A site's own covariates, one a number and one a category.
EXTRA = '\n[extra]\ntmb = { column = "tmb", kind = "numeric" }\nstage = { column = "stage", kind = "categorical" }\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extras")
    path = write(simulate(900, 11), folder / "cohort")
    table = pd.read_csv(path.parent / "patients.csv")
    table["tmb"] = [(7 * row) % 23 / 2 for row in range(len(table))]
    table["stage"] = [float("nan") if row % 9 == 0 else 1.0 + row % 4 for row in range(len(table))]  # one gap makes 1 a 1.0
    table.to_csv(path.parent / "patients.csv", index=False)
    table.to_parquet(path.parent / "patients.parquet", index=False)
    path.write_text(path.read_text() + EXTRA)
    run = train(path, folder / "model", Settings(refits=3, learner="linear"), bootstrap=5, tracking=None)
    assert {"extra.tmb", "extra.stage"} <= set(run.fit.model.design.features)
    risks = run.fit.model.score(run.fit.matrix).risk.tolist()
    return run, path, dict(zip([patient.id for patient in read_cohort(path).patients], risks, strict=True))


@pytest.mark.parametrize("kind", ["csv", "parquet", "csv of whole numbers"])
def test_a_file_scores_as_the_training_matrix_however_it_writes_a_level(site, tmp_path, kind):
    run, path, expected = site
    other, out = tmp_path / "cohort.toml", tmp_path / "scores.csv"
    suffix = kind.split()[0]
    other.write_text(path.read_text().replace("patients.csv", f"patients.{suffix}"))
    content = (path.parent / f"patients.{suffix}").read_bytes()
    if kind == "csv of whole numbers":
        rows = content.decode().splitlines()
        assert rows[0].endswith(",stage")
        assert rows[2].endswith(".0")
        content = "\n".join(row.removesuffix(".0") for row in rows).encode()
    (tmp_path / f"patients.{suffix}").write_bytes(content)
    ran = CliRunner().invoke(lymphorisk.app, ["score", str(run.folder), str(other), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    with out.open(newline="", encoding="utf-8") as table:
        scored = {row["id"]: [float(row[f"risk_{day}d"]) for day in run.fit.model.days] for row in csv.DictReader(table)}
    assert scored == expected


@pytest.mark.parametrize("spelled", [float, lambda cell: cell, lambda cell: cell.removesuffix(".0")], ids=["2", '"2.0"', '"2"'])
def test_a_level_on_the_wire_is_read_as_in_training(site, spelled, receipts):
    run, path, expected = site
    app = create_app(artifact.load(run.folder), receipts, access=Desk())
    patients = []
    for row in rows_of(path):
        extra = {"tmb": float(row["tmb"])} | ({"stage": spelled(row["stage"])} if row["stage"] else {})
        patients.append(wire_patient(path, row) | {"extra": extra})
    found = post(app, {"patients": patients}).json()["scores"]
    assert [risks_of(one) for one in found] == [expected[patient["id"]] for patient in patients]


def test_a_number_given_as_text_is_refused_where_it_stands(site, receipts):
    run, path, _ = site
    app = create_app(artifact.load(run.folder), receipts, access=Desk())
    patient = wire_patient(path, rows_of(path)[1]) | {"extra": {"tmb": "73190", "stage": 2, "JohnSmith": "x"}}
    alone, (together,) = post(app, patient), post(app, {"patients": [patient]}).json()["scores"]
    assert (alone.status_code, [one["pointer"] for one in alone.json()["errors"]]) == (422, ["/extra/tmb"])
    assert [one["pointer"] for one in together["errors"]] == ["/patients/0/extra/tmb"]
    assert not any(word in alone.text + json.dumps(together) for word in ("73190", "JohnSmith"))
