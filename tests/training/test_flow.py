from models.history import History
from models.measurements import Measurement
from models.patient import Patient
from training.reading.flow import composition, flow_diagram


def patient(age, sex="female", treated=None, albumin=None):
    measured = () if albumin is None else (Measurement("albumin", albumin, 0.0),)
    return Patient("x", age, sex, "nsclc", measured, history=History(prior_systemic_therapy=treated))


def test_a_step_says_who_left_and_who_remained():
    old, young, gone = patient(70, treated=1.0), patient(40, "male", 0.0), patient(16, "male")
    steps = flow_diagram([old, young], {"a rule": [None], "under 18": [gone]})
    told = [(step.reason, step.left, step.remaining["n"]) for step in steps]
    assert told == [("rows read", 0, 4), ("a rule", 1, 3), ("under 18", 1, 2)]
    assert [step.remaining["median_age"] for step in steps] == [40, 40, 55]
    assert [round(step.remaining["share_women"], 2) for step in steps] == [0.33, 0.33, 0.5]


def test_a_row_that_cannot_be_read_is_counted_and_has_no_part_in_the_composition():
    steps = flow_diagram([patient(50)], {"a rule": [None, patient(90)]})
    assert steps[0].remaining == {"n": 3.0, "median_age": 70.0, "share_women": 1.0}
    assert steps[1].remaining == {"n": 1.0, "median_age": 50.0, "share_women": 1.0}


def test_a_number_that_nobody_has_is_not_told():
    assert composition([]) == {}
    assert composition([patient(50, "unknown")]) == {"median_age": 50.0}
    assert composition([patient(50, "unknown", 1.0, 38.0)]) == {
        "median_age": 50.0,
        "share_previously_treated": 1.0,
        "median_albumin": 38.0,
    }
