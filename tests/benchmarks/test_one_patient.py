"""One patient, from the words of a request to the answer: score, reasons, quality, sentences."""

import json

import mlflow
import numpy as np
import pandas
import pytest
from filing import explainers

from lymphorisk import PYFUNC
from serving.score import score
from serving.wire import read_line


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
