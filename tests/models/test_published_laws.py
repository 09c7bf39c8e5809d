"""What holds of every published score: whole points in their range, one direction, any unit, nothing said of a missing input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from models.patient import GivenMeasurement, Patient, assemble
from models.published import PUBLISHED, published

Numbers = dict[str, int]
Spelling = Mapping[str, tuple[str, Callable[[int], float]]]
# inputs of all scores, as whole numbers of a small unit; the neutrophils are always enough for a ratio to be read
LABS = {
    "alc": (10, 500),  # 10*7/L
    "anc": (100, 2000),  # 10*7/L
    "albumin": (150, 550),  # mg/dL x 10
    "ldh": (60, 2000),
    "crp": (0, 300),
    "sodium": (115, 155),
    "platelets": (20, 900),
    "ecog": (0, 4),
}
OTHERS = {
    "age_years": (18, 95),
    "metastatic_sites": (0, 9),
    "liver_metastases": (0, 1),
    "prior_systemic_therapy": (0, 1),
    "tmb": (0, 80),
}
WORSE = {"anc", "ldh", "crp", "platelets", "ecog", "metastatic_sites", "liver_metastases", "prior_systemic_therapy"}
BETTER = {"alc", "albumin", "sodium", "tmb"}
CANONICAL: Spelling = {
    "alc": ("10*9/L", lambda n: n / 100),
    "anc": ("10*9/L", lambda n: n / 100),
    "albumin": ("g/L", lambda n: n / 10),
    "ldh": ("U/L", float),
    "crp": ("mg/L", float),
    "sodium": ("mmol/L", float),
    "platelets": ("10*9/L", float),
    "ecog": ("{score}", float),
}
SPELLED: Spelling = {
    "alc": ("cells/uL", lambda n: n * 10),
    "anc": ("/mm3", lambda n: n * 10),
    "albumin": ("g/dL", lambda n: n / 100),
    "crp": ("mg/dL", lambda n: n / 10),
    "sodium": ("mEq/L", float),
    "platelets": ("/mm3", lambda n: n * 1000),
}
charts = st.fixed_dictionaries({name: st.integers(low, high) for name, (low, high) in (LABS | OTHERS).items()})


def complete(numbers: Numbers, spelling: Spelling = CANONICAL) -> Patient:
    """A patient with everything that any score asks for."""
    said = {**CANONICAL, **spelling}
    labs = [GivenMeasurement(name, said[name][1](numbers[name]), said[name][0]) for name in LABS if name != "ldh"]
    labs.append(GivenMeasurement("ldh", numbers["ldh"], "U/L", uln=250))
    labs.append(GivenMeasurement("wbc", (numbers["anc"] + numbers["alc"] + 50) / 100, "10*9/L"))
    history = {name: numbers[name] for name in ("metastatic_sites", "liver_metastases", "prior_systemic_therapy")}
    return assemble(
        id="p", age_years=numbers["age_years"], sex="female", tumour="melanoma",
        measurements=labs, history=history, extra={"tmb": numbers["tmb"]},
    )  # fmt: skip


def values(patient: Patient) -> dict[str, float]:
    found = {name: result.value for name, result in published(patient).items()}
    assert None not in found.values()
    return {name: value for name, value in found.items() if value is not None}


@given(charts)
def test_points_are_whole_numbers_in_their_range(numbers: Numbers) -> None:
    for name, value in values(complete(numbers)).items():
        assert 0 <= value <= PUBLISHED[name].most
        assert value.is_integer() or not PUBLISHED[name].whole


@given(charts, st.sampled_from(sorted(WORSE | BETTER)), st.data())
def test_no_score_improves_where_an_input_gets_worse(numbers: Numbers, name: str, data: st.DataObject) -> None:
    low, high = (LABS | OTHERS)[name]
    bounds = (numbers[name], high) if name in WORSE else (low, numbers[name])
    before, after = values(complete(numbers)), values(complete(numbers | {name: data.draw(st.integers(*bounds))}))
    for score, was in before.items():
        sign = 1 if PUBLISHED[score].higher_is_worse else -1
        assert sign * after[score] >= sign * was


@given(charts)
def test_the_spelling_of_a_unit_changes_nothing(numbers: Numbers) -> None:
    assert published(complete(numbers, SPELLED)) == published(complete(numbers))


@given(charts, st.sets(st.sampled_from(sorted(LABS)), min_size=1))
def test_a_score_is_there_exactly_if_everything_it_asks_for_is(numbers: Numbers, absent: set[str]) -> None:
    whole = complete(numbers)
    gone = absent | ({"nlr"} if absent & {"alc", "anc"} else set())
    patient = replace(whole, measurements=tuple(one for one in whole.measurements if one.analyte not in gone))
    for name, found in published(patient).items():
        missing = gone & set(PUBLISHED[name].inputs)
        assert (found.value is None) == bool(missing)
        assert found.why.count("was not measured") == len(missing)


@given(charts)
def test_scores_that_share_a_chart_say_what_each_says_alone(numbers: Numbers) -> None:
    patient = complete(numbers)
    assert published(patient) == {name: score.of(patient) for name, score in PUBLISHED.items()}
