"""What confounds a number stands beside it: in the JSON, in the sentence that names it, and in the column of a file."""

import json
import re

import pytest

from models.patient import GivenMeasurement as Given
from models.patient import assemble
from serving.score import score
from serving.score_files import table_rows

ALBUMIN = Given("albumin", 36, "g/L")
COUNTS = (Given("alc", 0.8, "10*9/L"), Given("anc", 4.0, "10*9/L"))
RANGE = r"estimated as (\S+), 10th to 90th percentile (\S+) to ([^ :]+).*: the risks at both ends are in estimates"
STEROIDS = "may be confounded by steroids within 14 days"
KNOWN = {"prior_lines": 2, "steroids_14d": "yes", "gcsf_14d": "no", "infection_14d": "no"}


def somebody(*measured, history=KNOWN):
    return assemble(id="p", age_years=61, sex="female", tumour="pancreatic", measurements=measured, history=history)


@pytest.fixture
def answer(loaded):
    (found,) = score(loaded, [somebody(*COUNTS, Given("albumin", 36, "g/L", 20.0))])
    return found


def test_a_confounder_is_in_the_quality_entry_and_with_the_value_used(answer):
    said = json.loads(json.dumps(answer.as_json()))
    by_input = {one["input"]: one.get("remarks") for one in said["quality"]}
    by_feature = {one["feature"]: one.get("remarks") for one in said["explanation"]["inputs"]}
    assert by_input["ln_alc"] == by_feature["ln_alc"] == [STEROIDS]
    assert by_input["albumin"] == by_feature["albumin"] == ["stale: measured 20 days before the index date"]
    assert "age" in by_input
    assert by_input["age"] is by_feature["age"] is None


def test_the_sentence_that_names_the_counts_names_what_confounds_them(answer):
    sentences = list(answer.sentences())
    (graded,) = [one for one in sentences if one.startswith("lymphopenia, ")]
    assert graded.endswith(f" [{STEROIDS}]")
    named = [one for one in sentences if one.startswith("lymphocytes and inflammation: ")]
    assert named
    assert all(re.search(r" \[absolute lymphocyte count.*: may be confounded by steroids within 14 days", one) for one in named)


def test_an_estimate_tells_its_range_where_its_quality_is_told(loaded):
    (found,) = score(loaded, [somebody(COUNTS[0], ALBUMIN)])
    said = {one["input"]: one.get("remarks", []) for one in found.as_json()["quality"]}
    assert found.estimates
    for estimate in found.estimates:
        (told,) = [one for one in said[estimate.feature] if one.startswith("estimated as ")]
        read = [float(one.replace(",", "")) for one in re.fullmatch(RANGE, told).groups()]
        assert read == pytest.approx([estimate.value, estimate.low, estimate.high], rel=6e-3)


def test_a_column_of_a_file_tells_it_beside_the_input(loaded):
    ((row,), _) = table_rows(loaded, [somebody(*COUNTS, ALBUMIN)])
    assert f"ln_alc: ok ({STEROIDS})" in row[-2]


def test_where_nothing_confounds_nothing_is_said(loaded):
    history = KNOWN | {"steroids_14d": "no"}
    (found,) = score(loaded, [somebody(*COUNTS, ALBUMIN, history=history)])
    said = found.as_json()
    assert not any("confounded" in json.dumps(said[name]) for name in ("quality", "warnings", "explanation"))
    assert "[" not in found.text


def test_a_number_that_was_given_and_set_aside_is_not_called_unknown(loaded):
    few = (Given("alc", 0.4, "10*9/L"), Given("anc", 0.9, "10*9/L"), ALBUMIN)
    (found,) = score(loaded, [somebody(*few)])
    (said,) = [one for one in found.sentences() if one.startswith("neutrophil-to-lymphocyte ratio: ")]
    assert said.startswith("neutrophil-to-lymphocyte ratio: given and set aside, since it cannot be interpreted; estimated; with")
