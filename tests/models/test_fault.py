from models.fault import Fault


def test_a_fault_is_one_sentence_of_four_parts() -> None:
    fault = Fault("alc", "1200 10*9/L", "0 to 10 10*9/L", "cells/uL under the unit 10*9/L")
    assert str(fault) == "alc = 1200 10*9/L: allowed is 0 to 10 10*9/L; likely cells/uL under the unit 10*9/L"


def test_a_fault_leaves_the_house_without_the_value() -> None:
    fault = Fault("/measurements/3", "1200 10*9/L", "0 to 10 10*9/L", "cells/uL under the unit 10*9/L")
    assert fault.without_value() == "/measurements/3: allowed is 0 to 10 10*9/L; likely cells/uL under the unit 10*9/L"


def test_a_fault_without_a_likely_cause_says_no_more_than_it_knows() -> None:
    assert str(Fault("sex", "'x'", "female or male")) == "sex = 'x': allowed is female or male"
