"""The model as MLflow loads it answers as the service does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.artifact import Artifact
from models.example import EXAMPLE
from serving.answer import Answer
from serving.score import score
from serving.wire import read_line

mlflow = pytest.importorskip("mlflow", reason="the training extra brings mlflow")
pandas = pytest.importorskip("pandas", reason="the training extra brings pandas")
PYFUNC = Path(__file__).parents[2] / "serving" / "pyfunc.py"


def line(id: str = "p1", age: float = 61) -> str:
    labs = [("albumin", 3.6, "g/dL"), ("alc", 800, "/mm3"), ("anc", 4.0, "K/uL")]
    measured = [{"analyte": name, "value": value, "unit": unit, "date": "2026-01-01"} for name, value, unit in labs]
    return json.dumps({"id": id, "as_of": "2026-01-02", "age_years": age, "tumour": "nsclc", "measurements": measured})


def saved(folder: Path, artifact: Path) -> Any:
    example = pandas.DataFrame({"patient": [line()]})
    mlflow.pyfunc.save_model(
        folder, python_model=str(PYFUNC), artifacts={"model": str(artifact)}, input_example=example, pip_requirements=["numpy"]
    )
    return mlflow.pyfunc.load_model(str(folder))


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Any:
    return saved(tmp_path_factory.mktemp("pyfunc") / "model", model_folder)


def test_the_registered_model_answers_as_the_service_does_to_the_bit(registered: Any, loaded: Artifact) -> None:
    found = registered.predict(pandas.DataFrame({"patient": [line(), line("p2", 80)]}, index=[7, 9]))
    today = datetime.now(UTC).date()
    answers = score(loaded, [read_line(line().encode(), today), read_line(line("p2", 80).encode(), today)])
    assert list(found.columns) == ["answer", "risk_30d", "risk_90d", "risk_180d", "risk_365d"]
    assert list(found.index) == [7, 9]
    for (_, row), answer in zip(found.iterrows(), answers, strict=True):
        assert isinstance(answer, Answer)
        assert json.loads(row["answer"]) == json.loads(json.dumps(answer.as_json()))
        assert [row[f"risk_{horizon.days}d"] for horizon in answer.horizons] == [horizon.risk for horizon in answer.horizons]


def test_a_refused_patient_has_no_risk_and_the_answer_says_why(registered: Any) -> None:
    found = registered.predict(pandas.DataFrame({"patient": [line(age=17), line()]}))
    assert found["risk_90d"].isna().tolist() == [True, False]
    assert json.loads(found["answer"][0])["refused"] == "not eligible"


def test_an_index_date_that_has_not_come_is_refused(registered: Any) -> None:
    later = (datetime.now(UTC).date() + timedelta(days=3)).isoformat()
    found = registered.predict(pandas.DataFrame({"patient": [line().replace("2026-01-02", later)]}))
    assert [one["pointer"] for one in json.loads(found["answer"][0])["errors"]] == ["/as_of"]


def test_an_answer_of_a_simulated_model_begins_by_saying_so(tmp_path: Path, simulated_folder: Path) -> None:
    found = saved(tmp_path / "model", simulated_folder).predict(pandas.DataFrame({"patient": [line(), line(age=17)]}))
    assert all(next(iter(json.loads(answer).items())) == ("example", EXAMPLE) for answer in found["answer"])
