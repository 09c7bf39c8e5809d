"""One patient, from the words of a request to the answer and to what its receipt holds: score, reasons, quality, sentences."""

import json
from functools import partial
from pathlib import Path

import mlflow
import numpy as np
import pandas
import pytest
from filing import explainers

from lymphorisk import PYFUNC
from serving.receipts.packing import unpacked
from serving.recorded import Answering
from serving.score import score
from serving.wire import read_line, read_request

USUAL = Path(__file__).with_name("peer.py")
ALLOWED = 0.5  # of the usual pyfunc's call in process, which has no HTTP; what a request costs in all is an exam of its own


def answer(artifact, line):
    (one,) = score(artifact, [read_line(line)])
    return json.dumps(one.as_json())


@pytest.fixture(scope="module")
def pyfunc(trained, tmp_path_factory):
    saved = tmp_path_factory.mktemp("pyfunc") / "model"
    mlflow.pyfunc.save_model(
        saved,
        python_model=str(PYFUNC),
        artifacts={"model": str(trained.folder)},
        input_example=pandas.DataFrame({"patient": [trained.line]}),
        pip_requirements=["numpy"],
    )
    return mlflow.pyfunc.load_model(str(saved))


def test_an_answer_against_the_registered_pyfunc(race, trained, pyfunc):
    given, frame = trained.line.encode(), pandas.DataFrame({"patient": [trained.line]})
    race(
        lambda: answer(trained.artifact, given),
        lambda: pyfunc.predict(frame),
        what="a request line to its answer as JSON",
        against="the registered MLflow pyfunc (same path, behind MLflow)",
        rounds=25,
        calls=20,
    )
    assert json.loads(pyfunc.predict(frame)["answer"][0]) == json.loads(answer(trained.artifact, given))


def test_an_answer_against_shap(race, trained):
    x, model = trained.artifact.model.imputation.fill(trained.fit.matrix).x, trained.artifact.model
    patient, row, made = read_line(trained.line.encode()), np.float32(x[:1]), explainers(trained.booster, x, model.days)
    race(
        lambda: score(trained.artifact, [patient]),
        lambda: [explainer.shap_values(row) for explainer in made],
        what="a patient to risks, terms, points, intervals, quality and warnings at five horizons",
        against="shap.TreeExplainer, built once, on the trees at five horizons (terms alone)",
        rounds=25,
        calls=10,
    )


@pytest.fixture(scope="module")
def usual(trained, tmp_path_factory):
    saved = tmp_path_factory.mktemp("usual") / "model"
    booster = str(trained.folder / "booster.ubj")
    mlflow.pyfunc.save_model(saved, python_model=str(USUAL), artifacts={"booster": booster}, pip_requirements=["xgboost"])
    return mlflow.pyfunc.load_model(str(saved))


def bodies(trained, patients):
    """Requests for `patients` patients: the one of the demo with other counts, and some labs left out."""
    made = []
    for number in range(patients):
        one = json.loads(trained.line)
        one["measurements"][0]["value"] += number / 100
        del one["measurements"][2 : 2 + number % 4]
        made.append(json.dumps(one).encode())
    return made


def recorded(artifact, requests):
    """The answers to requests that are scored together, each with what its receipt will hold."""
    read = [(read_request(body).patients[0], partial(bytes, body)) for body in requests]
    return Answering(artifact, "").together([([one], {"by": "HTTP"}) for one in read], lambda place, refused: refused.as_json())


@pytest.mark.parametrize("together", [1, 16])
def test_a_request_to_its_answer_and_what_its_receipt_holds_against_the_usual_pyfunc(race, trained, usual, together):
    requests, columns = bodies(trained, together), [column.name for column in trained.artifact.model.design.columns]
    row = pandas.DataFrame(trained.artifact.model.imputation.fill(trained.one).x.astype(np.float32), columns=columns)
    race(
        lambda: recorded(trained.artifact, requests),
        lambda: usual.predict(row),
        what=f"a request, of {together} scored together, to the bytes of its answer and of what its receipt holds",
        against="a plain MLflow pyfunc in process, five rows of pred_contribs, no receipt",
        rounds=25,
        calls=10 if together == 1 else 2,
        units=(together, 1),
        bar=ALLOWED,
    )
    for found in recorded(trained.artifact, requests):
        ((said, draft),) = zip(found.said, found.drafts.values(), strict=True)
        assert b'"answer":' + said in unpacked(draft.content)
        assert len(json.loads(said)["risks"]) == 5
