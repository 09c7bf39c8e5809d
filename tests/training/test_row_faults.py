from models.fault import Fault
from training.reading.row_faults import RowFaults


def test_one_column_with_one_rule_is_one_fault_with_its_rows_and_a_few_values():
    found = RowFaults()
    for row in range(2, 10):
        found.add("t.csv", row, Fault("column alc", f"{row}00 10*9/L", "up to 10", "cells/uL"))
    (fault,) = found.faults()
    assert str(fault) == (
        "t.csv rows 2, 3, 4, 5, 6 and 3 more, column alc = 200 10*9/L, 300 10*9/L, 400 10*9/L, ...: "
        "allowed is up to 10; likely cells/uL"
    )


def test_each_rule_and_each_table_is_a_fault_of_its_own():
    found = RowFaults()
    found.add("a.csv", 3, Fault("column x", "2", "1 or 0"))
    found.add("a.csv", 3, Fault("column x", "2", "a number"))
    found.add("b.csv", 3, Fault("column x", "2", "1 or 0"))
    assert len(found.faults()) == 3
    assert found.places == {"column x"}
    assert found.faults(without={"column x"}) == []


def test_causes_that_differ_are_told_with_their_rows_the_commonest_first():
    found = RowFaults()
    for row, likely in ((2, "a code for missing"), (3, "cells/uL"), (4, "cells/uL"), (5, "")):
        found.add("t.csv", row, Fault("column alc", "x", "up to 10", likely))
    assert found.faults()[0].likely == "cells/uL (rows 3, 4), or a code for missing (row 2)"


def test_a_cause_that_only_some_rows_show_stands_alone():
    found = RowFaults()
    for row, likely in ((2, ""), (3, "cells/uL")):
        found.add("t.csv", row, Fault("column alc", "x", "up to 10", likely))
    assert found.faults()[0].likely == "cells/uL"
