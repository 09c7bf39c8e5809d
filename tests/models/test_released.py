"""The models shipped with the product: whole, carded, honest about what they learned from, and the same number as ever."""

import json
from pathlib import Path

import pytest

import lymphorisk
import models
from models.artifact import load
from models.example import EXAMPLE
from serving.answer import Answer
from serving.score import score
from serving.wire import read_line

RELEASED = sorted(path for path in (Path(models.__file__).parent / "released").iterdir() if path.is_dir())
# A number a clinician may see: it changes with a release, and only in the commit that changes it.
EXAMPLE_RISKS = {30: 0.294126544489, 60: 0.500413542574, 90: 0.62653681595, 180: 0.806284878012, 365: 0.919647222216}


@pytest.mark.parametrize("folder", RELEASED, ids=lambda folder: folder.name)
def test_a_released_model_is_whole_and_carded(folder):
    artifact = load(folder)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["cohort"]["digest"] == artifact.provenance["cohort_digest"]
    if artifact.model.simulated:
        assert (folder / "card.md").read_text(encoding="utf-8").startswith(EXAMPLE)
        assert next(iter(card)) == "example"


def test_the_example_model_says_what_it_always_said():
    (folder,) = (folder for folder in RELEASED if folder.name == "example")
    artifact = load(folder)
    assert json.loads((folder / "model.json").read_text(encoding="utf-8"))["trained_on"] == "simulated"
    (answer,) = score(artifact, [read_line(json.dumps(lymphorisk.EXAMPLE_PATIENT).encode())])
    assert isinstance(answer, Answer)
    assert answer.text.startswith(EXAMPLE)
    assert all(horizon.rank is not None for horizon in answer.horizons)
    assert {horizon.days: horizon.risk for horizon in answer.horizons} == pytest.approx(EXAMPLE_RISKS, abs=1e-9)
