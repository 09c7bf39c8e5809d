"""Who is asked about recovery, and what is known of them: the population key, the cut-off, draws, steroids."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from models.courses import Treatment
from models.history import History as Stated
from models.measurements import Measurement
from models.patient import Patient
from training.cohort import Cohort
from training.histories import Histories, History
from training.refused import NotSupported
from training.rescue.person import Person, person_of
from training.rescue.population import NOT_COUNTED, lymphopenic, progressed
from training.rescue.recovery import events, fallen_on, rescued_on
from training.rescue.steroids import steroids
from training.statistics.censoring import FollowUp

PROGRESSED = Stated(prior_lines=1.0, prior_systemic_therapy=1.0, last_line_outcome="progression")
DAYS = 100


def history(
    alc: dict[float, float], *, limit: str = "", stated: Stated = PROGRESSED, courses: tuple[Treatment, ...] = (), **more: object
) -> History:
    """A patient followed for 100 days with ALC by day from the index date, whatever else as asked for."""
    drawn = tuple(Measurement("alc", value, -day, limit if day <= 0 else "") for day, value in alc.items() if day <= 0)
    whole = tuple(Measurement("alc", value, DAYS - day, limit if day <= 0 else "") for day, value in alc.items())
    given: dict[str, object] = {"id": "a", "age_years": 60.0, "sex": "female", "tumour": "pancreatic", "history": stated}
    first = Patient(**{**given, "measurements": drawn, **more})  # type: ignore[arg-type]  # fields by name
    return History(first, replace(first, measurements=whole, treatments=courses), float(DAYS), True)


def cohort(*of: History) -> Histories:
    n = len(of)
    follow_up = FollowUp(np.full(n, float(DAYS)), np.ones(n, bool))
    return Histories(Cohort("made", "", "0" * 64, tuple(one.at_index for one in of), follow_up, (), ()), of, {})


def known(one: History) -> Person:
    found = person_of(one, 1.0)
    assert found is not None
    return found


def test_every_row_is_accounted_for() -> None:
    low = history({0: 0.6, 20: 1.2, 30: 1.3})
    untold = replace(PROGRESSED, last_line_outcome=None)
    leaving = {
        "younger than 18 years": history({0: 0.6}, age_years=17.0),
        "haematological malignancy": history({0: 0.6}, tumour="haematological"),
        "no prior systemic line": history({0: 0.6}, stated=Stated(prior_lines=0.0, prior_systemic_therapy=0.0)),
        "not known whether there was a prior systemic line": history({0: 0.6}, stated=Stated()),
        "no progression after a prior line": history({0: 0.6}, stated=replace(PROGRESSED, last_line_outcome="toxicity")),
        "not known whether a prior line ended by progression": history({0: 0.6}, stated=untold),
        NOT_COUNTED: history({-40: 0.6}),
        "ALC of 1.0 10*9/L or more on the index date": history({0: 1.0}),
    }
    found = lymphopenic(cohort(low, *leaving.values()), 1.0)
    assert {step.reason: step.left for step in found.flow[1:]} == dict.fromkeys(leaving, 1)
    assert [one.alc for one in found.people] == [0.6]
    assert (found.counts, found.by_cut_off[0.8], found.by_grade[2]) == ((0.6, 1.0), 1, 1)


def test_the_population_key_may_be_left_out() -> None:
    found = lymphopenic(cohort(history({0: 0.6}, stated=Stated())), 1.0, everybody=True)
    assert len(found.people) == 1
    assert [step.reason for step in found.flow[1:]] == [NOT_COUNTED, "ALC of 1.0 10*9/L or more on the index date"]


def test_nobody_left_is_refused_with_the_reasons() -> None:
    with pytest.raises(NotSupported, match=r"nobody is left to be analysed: 1 ALC of.*--everybody"):
        lymphopenic(cohort(history({0: 1.4})), 1.0)
    with pytest.raises(NotSupported, match=r"nobody is left to be analysed: 1 ALC of.*index date$"):
        lymphopenic(cohort(history({0: 1.4})), 1.0, everybody=True)


@pytest.mark.parametrize("cut_off", [1000.0, 0.9, 0.0])
def test_another_cut_off_is_refused(cut_off: float) -> None:
    with pytest.raises(NotSupported, match=r"allowed are 0\.5, 0\.8, 1, 1\.2, 1\.5 10\*9/L; likely cells/uL"):
        lymphopenic(cohort(history({0: 0.6})), cut_off)


def test_a_count_on_the_boundary_of_a_grade_is_the_milder() -> None:
    found = lymphopenic(cohort(*(history({0: alc}) for alc in (0.8, 0.5, 0.2, 0.19))), 1.0)
    assert dict(found.by_grade) == {0: 0, 1: 1, 2: 1, 3: 1, 4: 1}


@pytest.mark.parametrize(("limit", "value", "low"), [("<", 0.3, True), ("<", 1.4, None), (">", 1.2, False), (">", 0.4, None)])
def test_a_limit_counts_where_it_decides(limit: str, value: float, low: bool | None) -> None:
    found = person_of(history({0: value}, limit=limit), 1.0)
    assert (None if found is None else found.alc < 1.0) is low


def test_one_line_that_progressed_is_enough_whichever_it_was() -> None:
    first = Treatment("chemotherapy", 300, 200, 1, ("a",), "progression")
    last = Treatment("chemotherapy", 150, 50, 2, ("b",), "toxicity")
    both = history({0: 0.6}).at_index
    assert progressed(replace(both, treatments=(first, last), history=Stated())) is True
    assert progressed(replace(both, treatments=(last,), history=replace(PROGRESSED, last_line_outcome="toxicity"))) is False


def test_what_was_drawn_on_the_index_date_or_before_is_no_recovery() -> None:
    found = known(history({-10: 1.5, 0: 0.6, 12: 1.1, 18: 1.2}))
    assert found.counts == ((12.0, 1.1), (18.0, 1.2))
    assert rescued_on(found, 1.0) is None
    assert rescued_on(found, 1.0, 0.0) == 12


def test_a_recovery_is_dated_when_it_was_known() -> None:
    found = known(history({0: 0.6, 12: 1.1, 18: 1.2, 25: 1.0, 60: 0.4}))
    assert rescued_on(found, 1.0) == 25


def test_a_draw_after_the_end_of_follow_up_is_not_known() -> None:
    one = history({0: 0.6, 20: 1.2, 100: 1.3})
    assert rescued_on(known(one), 1.0) == 100
    assert rescued_on(known(replace(one, days=99.5)), 1.0) is None


def test_a_fall_is_a_ratio_to_the_index_date() -> None:
    assert fallen_on([(10, 0.85), (20, 0.8), (30, 0.5)], 0.2, 0.0) == 20
    assert fallen_on([(10, 0.85), (20, 0.8), (30, 0.5)], 0.2, 7.0) == 30
    assert fallen_on([(10, 0.85)], 0.2, 0.0) is None


def marked(values: dict[float, float], methods: dict[float, str], bilirubin: float = 10.0) -> Person:
    """A patient with CA19-9 by day, each of an assay."""
    one = history({0: 0.6})
    of = [("ca19_9", value, day, methods.get(day, "")) for day, value in values.items()] + [("bilirubin", bilirubin, 0.0, "")]
    first = tuple(Measurement(name, value, -day, method=method) for name, value, day, method in of if day <= 0)
    whole = tuple(Measurement(name, value, DAYS - day, method=method) for name, value, day, method in of)
    at_index = replace(one.at_index, measurements=one.at_index.measurements + first)
    return known(replace(one, at_index=at_index, whole=replace(one.whole, measurements=one.whole.measurements + whole)))


def responded_on(person: Person, name: str) -> float | None:
    (event,) = (one for one in events(1.0) if one.name == name)
    return event.on(person) if event.asked_of(person) else math.nan


def test_ca19_9_responds_within_one_assay_alone() -> None:
    values = {0.0: 1000.0, 20.0: 400.0, 40.0: 700.0}
    assert responded_on(marked(values, {0: "x", 20: "x", 40: "x"}), "ca19_9_response_20") == 20
    assert responded_on(marked(values, {0: "x", 20: "y", 40: "x"}), "ca19_9_response_20") == 40
    assert responded_on(marked(values, {0: "x", 20: "y", 40: "x"}), "ca19_9_response_50") is None


@pytest.mark.parametrize(("first", "bilirubin"), [(1.0, 10.0), (1000.0, 60.0)])
def test_where_ca19_9_measures_no_burden_a_response_is_not_asked(first: float, bilirubin: float) -> None:
    assert math.isnan(responded_on(marked({0.0: first, 20.0: 0.5}, {}, bilirubin), "ca19_9_response_20") or 0.0)


def test_a_recovery_within_four_weeks_of_the_end_of_steroids_is_shown() -> None:
    def course(end: float) -> tuple[Treatment, ...]:
        return (Treatment("steroid", DAYS + 5, DAYS - end),)

    draws = {0.0: 0.6, 30.0: 1.2, 40.0: 1.3}
    near, far = (known(history(draws, courses=course(end), stated=replace(PROGRESSED, steroids_14d=1.0))) for end in (15, 1))
    found = steroids([near, far, known(history(draws))], 1.0)
    assert (found.known, found.on_index, found.rescued, found.rescued_on_index, found.rescued_after_stop) == (2, 2, 3, 2, 1)
    assert "<10" in found.sentence()
