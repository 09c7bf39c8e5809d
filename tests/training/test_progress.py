from training.progress import Bars, Steps


def test_a_new_stage_closes_the_bar_of_the_last_and_stdout_stays_clean(capsys):
    with Bars() as bars:
        bars("first", 0, 2)
        bars("first", 2, 2)
        bars("second", 1, 3)
    told = capsys.readouterr()
    assert told.out == ""
    assert "first: 100%" in told.err
    assert "second:  33%" in told.err


def test_steps_are_added_up():
    told = []
    steps = Steps(lambda *stage: told.append(stage), "refits", 3)
    steps(1)
    steps(2)
    assert told == [("refits", 0, 3), ("refits", 1, 3), ("refits", 3, 3)]
