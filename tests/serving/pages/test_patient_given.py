"""What is filled in becomes the patient document, and what is wrong with it leads back to the field it stands in."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.courses import MODALITIES
from models.history import FLAGS, OUTCOMES
from serving.pages.patient_fields import FLAG_NAMES, MEASURED, NUMBERS, ONE_UNIT, labs
from serving.pages.patient_form import FIELDS
from serving.pages.patient_given import given_of

DAY = st.dates().map(str)
LABS = {lab.name: lab for lab in labs(MEASURED)}
MEASUREMENT = st.sampled_from(MEASURED).flatmap(
    lambda name: st.fixed_dictionaries(
        {
            "analyte": st.just(name),
            "value": st.floats(0, 1e6) | st.integers(0, 10**6) | st.just("<2.0"),
            "date": DAY,
            "unit": st.sampled_from([ONE_UNIT[name]] if name in ONE_UNIT else LABS[name].units),
        }
    )
)
TREATMENT = st.fixed_dictionaries(
    {"modality": st.sampled_from(MODALITIES), "start": DAY},
    optional={
        "end": DAY,
        "line": st.integers(1, 30),
        "agents": st.just(["gemcitabine", "nab-paclitaxel"]),
        "outcome": st.sampled_from(OUTCOMES),
    },
)
HISTORY = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from(["yes", "no", "unknown"]) for name in FLAGS}
    | {name: st.integers(0, 20) for name in NUMBERS}
    | {"last_line_outcome": st.sampled_from(OUTCOMES)},
)


@st.composite
def documents(draw: Any) -> dict[str, Any]:
    measured = draw(st.lists(MEASUREMENT, unique_by=lambda one: one["analyte"], max_size=8))
    found = {"id": "p-1", "as_of": draw(DAY), "age_years": draw(st.integers(18, 99)), "sex": "female", "tumour": "pancreatic"}
    found["measurements"] = sorted(measured, key=lambda one: MEASURED.index(one["analyte"]))
    if treated := draw(st.lists(TREATMENT, max_size=4)):
        found["treatments"] = treated
    if history := draw(HISTORY):
        found["history"] = history
    return found


def filled_in(document: dict[str, Any]) -> dict[str, str]:
    """The fields of the page in which that patient stands."""
    form = {name: str(document[name]) for name in ("id", "as_of", "age_years", "sex", "tumour")}
    for one in document["measurements"]:
        name = one["analyte"]
        form |= {name: str(one["value"]), f"{name}_date": one["date"]}
        form |= {} if name in ONE_UNIT else {f"{name}_unit": one["unit"]}
    for place, course in enumerate(document.get("treatments", ())):
        form |= {f"t{place}_{name}": ", ".join(told) if name == "agents" else str(told) for name, told in course.items()}
    return form | {name: str(told) for name, told in document.get("history", {}).items()}


@given(documents())
def test_the_document_is_what_was_filled_in_and_nothing_else(document: dict[str, Any]) -> None:
    found = given_of(filled_in(document))
    assert found.faults == ()
    assert json.loads(found.body) == document


@given(documents())
def test_every_place_of_the_document_leads_to_a_field_of_the_form(document: dict[str, Any]) -> None:
    found = given_of(filled_in(document))
    places = [f"/{name}" for name in document if name not in ("measurements", "treatments", "history")]
    for rows in ("measurements", "treatments"):
        places += [f"/{rows}/{row}/{name}" for row, one in enumerate(document.get(rows, ())) for name in one]
    places += [f"/history/{name}" for name in document.get("history", {})]
    assert {found.field_of(place) for place in places} <= FIELDS


def test_empty_fields_say_nothing() -> None:
    assert given_of(dict.fromkeys(FIELDS, " ")).document == {"measurements": []}


def test_a_unit_a_day_or_a_limit_without_a_value_is_not_left_aside() -> None:
    for part in ("unit", "date", "uln"):
        (fault,) = given_of({f"ca19_9_{part}": "37"}).faults
        assert (fault.field, fault.allowed.partition(",")[0]) == ("ca19_9", "a value beside its unit")


def test_numbers_that_are_none_are_told_by_their_fields() -> None:
    form = {"age_years": "66,5", "alc": "0,8", "crp": "4", "crp_uln": "five", "prior_lines": "two", "t3_line": "II"}
    assert [fault.field for fault in given_of(form).faults] == ["alc", "age_years", "prior_lines", "crp_uln", "t3_line"]


def test_a_value_without_a_day_has_that_of_all() -> None:
    form = {"drawn": "2026-05-01", "alc": "1", "anc": "2", "anc_date": "2026-04-30"}
    assert [one["date"] for one in given_of(form).document["measurements"]] == ["2026-05-01", "2026-04-30"]


def test_a_pasted_draw_leads_to_its_line() -> None:
    found = given_of({"alc": "1", "draws": "\n2026-05-01 ALC 0.8 10*9/L\n2026-05-02 ALC 0.9 10*9/L"})
    assert [found.line_of(f"/measurements/{place}/unit") for place in range(3)] == [None, 2, 3]
    assert found.field_of("/measurements/2/unit") == "draws"


def test_the_flags_of_the_form_are_those_of_a_history() -> None:
    assert FLAG_NAMES == FLAGS
