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


def test_news_of_a_stage_stay_on_its_bar_and_are_shown_within_a_step(capsys, monkeypatch):
    monkeypatch.setattr("training.progress.NEWS", 0.0)
    with Bars() as bars:
        bars("search: best IPA 0.2", 1, 4)
        bars("search: best IPA 0.2, fold 3 of 5", 1, 4)
        bars("search: best IPA 0.3", 4, 4)
    told = capsys.readouterr().err
    assert "search: best IPA 0.2, fold 3 of 5:  25%" in told
    assert told.count("\n") == 1  # one bar, closed once


def test_steps_are_added_up():
    told = []
    steps = Steps(lambda *stage: told.append(stage), "refits", 3)
    steps(1)
    steps(2)
    assert told == [("refits", 0, 3), ("refits", 1, 3), ("refits", 3, 3)]
