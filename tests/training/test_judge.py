import json
import math
from dataclasses import replace

import pytest

from models.population import Population
from training.cohort import read_cohort
from training.judge import judge
from training.judgement import interval, judgement_text, table_lines
from training.simulation.files import write
from training.simulation.simulate import simulate

INTERVAL = {"value", "low", "high"}


def is_interval(found, more=frozenset()):
    assert found.keys() - {"why"} == INTERVAL | more
    numbers = [found[name] for name in INTERVAL]
    assert all(number is None or math.isfinite(number) for number in numbers)
    if None not in numbers:
        assert found["low"] <= found["high"]


def is_evaluation(found):
    assert isinstance(found["n"], int)
    assert found["uno_c"] is None or is_interval(found["uno_c"], {"tau"}) is None
    for day, one in found["horizons"].items():
        assert day.isdigit()
        counts, fit = {"deaths", "survivors", "censored_before", "min_g"}, {"auc", "brier", "ipa", "calibration"}
        assert one.keys() == counts | fit | {"net_benefit", "flagging", "naive"}
        assert all(isinstance(one[name], int) for name in ("deaths", "survivors", "censored_before"))
        assert 0 < one["min_g"] <= 1
        cells = [cell for name, cell in one["calibration"].items() if name != "curve"]
        for cell in (one["auc"], one["brier"], one["ipa"], *cells):
            is_interval(cell)
        assert one["calibration"].keys() == {"intercept", "slope", "observed_expected", "ici", "e50", "e90", "curve"}
    assert all(isinstance(why, str) and why for why in found["refused"].values())
    assert not set(found["horizons"]) & set(found["refused"])


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return read_cohort(write(simulate(400, 21), tmp_path_factory.mktemp("others")), required=("ln_nlr",))


@pytest.fixture(scope="module")
def judged(small_fit, others):
    return judge(small_fit.model, others, bootstrap=20, seed=1)


def test_the_answer_has_the_shape_that_evaluate_promises(judged, others):
    found = json.loads(json.dumps(judged, allow_nan=False))
    evaluation = {"n", "uno_c", "horizons", "refused", "beats_them", "comparators", "strata"}
    assert found.keys() - {"inside"} == evaluation | {"example", "cohort", "population", "recalibrated"}
    assert found["inside"].keys() == evaluation
    assert (found["cohort"], found["n"]) == (others.name, len(others))
    is_evaluation(found)
    is_evaluation(found["inside"])


def test_those_inside_the_development_population_are_judged_apart(judged, small_fit, others):
    outside = sum(bool(small_fit.model.population.outside(patient)) for patient in others.patients)
    assert judged["population"] == {"inside": len(others) - outside, "outside": outside}
    assert 0 < outside < len(others)
    assert judged["inside"]["n"] == len(others) - outside


def test_nobody_is_judged_apart_where_all_are_inside_or_hardly_any(small_fit, others):
    everywhere = Population(dict.fromkeys({one.tumour for one in others.patients}, 99), {"yes": 99, "no": 99})
    assert "inside" not in judge(replace(small_fit.model, population=everywhere), others, bootstrap=0, seed=1)
    nowhere = Population({}, {})
    found = judge(replace(small_fit.model, population=nowhere), others, bootstrap=0, seed=1)
    assert found["population"] == {"inside": 0, "outside": len(others)}
    assert "inside" not in found


def test_a_refused_horizon_is_absent_from_horizons_and_says_whose_fault_it_is(small_fit, others, tmp_path):
    cut = read_cohort(write(simulate(400, 22, accrual_days=200, closing_day=330), tmp_path))
    model = replace(small_fit.model, refused={"730": "not asked for", "90": "not evaluable: too few"})
    found = judge(model, cut, bootstrap=0, seed=1)
    assert list(found["refused"]) == ["90", "365", "730"]
    assert found["refused"]["90"] == "the model does not serve it: not evaluable: too few"
    assert found["refused"]["365"].startswith("not identifiable: nobody is known to be alive on day 365")
    assert found["refused"]["730"].startswith("not identifiable")
    assert "365" not in found["horizons"]


def test_a_model_of_real_patients_on_simulated_ones_is_an_example_too(small_fit, others):
    model = replace(small_fit.model, trained_on="a hospital")
    assert next(iter(judge(model, others, bootstrap=0, seed=1))) == "example"
    assert "example" not in judge(model, replace(others, source="elsewhere"), bootstrap=0, seed=1)


def test_the_text_tells_every_horizon_with_its_intervals(small_fit, judged):
    text = judgement_text(small_fit.model, judged)
    assert text.startswith("EXAMPLE: simulated patients, not a real risk\nsimulated-500-3 on simulated-400-21: 400 patients\n")
    auc = judged["horizons"]["180"]["auc"]
    assert f"{auc['value']:.3f} ({auc['low']:.3f}-{auc['high']:.3f})" in text
    assert "inside the development population (" in text
    assert "Uno's C to day 365" in text


def test_what_is_refused_and_what_cannot_be_had_are_told():
    missing = {"value": None, "low": None, "high": None}
    found = {"horizons": {}, "uno_c": None, "refused": {"365": "not identifiable: nobody"}}
    assert table_lines(found)[-1] == "   365 refused: not identifiable: nobody"
    assert interval(missing) == "-"
    assert interval({"value": 0.5, "low": None, "high": None}) == "0.500"


def test_progress_is_told_resample_by_resample(small_fit, others):
    told = []
    judge(small_fit.model, others, bootstrap=3, seed=1, advance=lambda *stage: told.append(stage))
    assert [stage for stage in told if stage[0] == "bootstrap"] == [("bootstrap", done, 3) for done in range(4)]
