"""Simulated histories on disk, read back the way any cohort with histories is read."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lymphorisk
from training.histories import Histories, read_histories
from training.simulation.histories import LANDMARKS, WITHIN, SimulatedHistories, simulate_history
from training.simulation.history_files import write_history
from training.simulation.history_tables import ASSAYS, history_tables, seen, true_landmarks


@pytest.fixture(scope="module")
def drawn() -> SimulatedHistories:
    return simulate_history(300, seed=4, rescue_hazard_ratio=0.75, unmeasured_fitness=True)


@pytest.fixture(scope="module")
def folder(drawn: SimulatedHistories, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("histories")
    write_history(drawn, path, seed=4)
    return path


@pytest.fixture(scope="module")
def read(folder: Path) -> Histories:
    return read_histories(folder / "cohort.toml")


def test_what_is_read_is_what_was_drawn(drawn: SimulatedHistories, read: Histories) -> None:
    assert [one.at_index.id for one in read] == list(drawn.cohort.ids)
    assert [one.days for one in read] == drawn.cohort.times.tolist()
    assert [one.died for one in read] == drawn.cohort.deaths.tolist()
    assert not any(read.beyond.values())
    took_place = seen(drawn)
    for row, one in enumerate(read):
        later = [(draw.day, draw.value) for draw in one.draws("alc") if draw.day > 0]
        visits = drawn.visits.day[row], drawn.visits.counts[row]
        expected = sorted(zip(*(values[took_place[row]].tolist() for values in visits), strict=True))
        assert later == expected


def test_nothing_is_written_of_a_day_after_the_follow_up_or_of_the_day_of_death(drawn: SimulatedHistories) -> None:
    tables = history_tables(drawn)
    died = dict(zip(drawn.cohort.ids, drawn.cohort.deaths.tolist(), strict=True))
    last = dict(zip(drawn.cohort.ids, drawn.cohort.times.tolist(), strict=True))
    measured, given = tables["measurements"], tables["treatments"]
    spare = measured["patient"].map(last) - measured["day"]
    assert (spare >= 0).all()
    assert (spare[measured["patient"].map(died)] >= 1).all()
    assert (given["start"] < given["patient"].map(last)).all()
    ended = given["end"].notna()
    assert (given.loc[ended, "end"] <= given.loc[ended, "patient"].map(last)).all()
    assert (~ended).any()
    assert given.loc[~ended, "outcome"].isna().all()
    assert given.loc[ended, "outcome"].notna().all()


def test_every_patient_followed_for_months_is_seen_with_counts_and_is_treated(read: Histories) -> None:
    long = [one for one in read if one.days > 120]
    assert len(long) > 100
    gaps: list[float] = []
    for one in long:
        days = [draw.day for draw in one.draws("alc") if draw.day > 0]
        gaps += np.diff([0, *days]).tolist()
        assert [draw.day for draw in one.draws("anc")] == [draw.day for draw in one.draws("alc")]
        assert any(course.line is not None and course.start >= 0 for course in one.courses)
    assert 10 < np.median(gaps) < 22
    assert np.mean(np.array(gaps) <= 25) > 0.85  # one visit of twelve is missed
    kinds = {course.modality for one in read for course in one.courses if course.start > 0}
    assert {"chemotherapy", "immunotherapy", "radiotherapy", "steroid", "g-csf"} <= kinds


def test_ca19_9_names_its_assay_and_some_hospitals_change_it(read: Histories) -> None:
    methods = {draw.method for one in read for draw in one.draws("ca19_9")}
    assert methods == set(ASSAYS)
    assert all(draw.method == ASSAYS[0] for one in read for draw in one.draws("ca19_9") if draw.day <= 0)


def test_the_true_risks_are_of_those_alive_and_followed_at_each_landmark(drawn: SimulatedHistories, folder: Path) -> None:
    told = pd.read_csv(folder / "truth_landmarks.csv")
    assert list(told.columns) == ["patient", "landmark", *(f"risk_{days}d" for days in WITHIN)]
    last = told["patient"].map(dict(zip(drawn.cohort.ids, drawn.cohort.times.tolist(), strict=True)))
    assert (last > told["landmark"]).all()
    for day in LANDMARKS:
        assert (told["landmark"] == day).sum() == (drawn.cohort.times > day).sum()
    risks = told[[f"risk_{days}d" for days in WITHIN]].to_numpy()
    assert ((risks > 0) & (risks < 1)).all()
    assert (np.diff(risks, axis=1) > 0).all()
    pd.testing.assert_frame_equal(told, true_landmarks(drawn, WITHIN))


def test_the_cohort_file_says_it_is_simulated_and_mentions_no_truth(folder: Path) -> None:
    text = (folder / "cohort.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["source"] == "simulated"
    assert "truth" not in text
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert told["rescue_hazard_ratio"] == 0.75
    assert told["unmeasured_fitness"] is True
    assert told["seed"] == 4


def test_histories_without_their_truth_and_other_tables_are_refused(drawn: SimulatedHistories, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="histories without true risks: allowed are those of simulate_history with truth = True"):
        write_history(simulate_history(5, seed=1, truth=False), tmp_path / "no", seed=1)
    with pytest.raises(ValueError, match="tables = 'xlsx': allowed is 'csv' or 'parquet'"):
        write_history(drawn, tmp_path / "no", seed=4, tables="xlsx")  # type: ignore[arg-type]
    assert not (tmp_path / "no").exists()


def test_the_command_writes_histories_that_can_be_read(tmp_path: Path) -> None:
    asked = ["simulate", "--history", "--patients", "40", "--seed", "6", "--parquet", "--out", str(tmp_path / "a"), "--json"]
    answered = CliRunner().invoke(lymphorisk.app, asked)
    assert answered.exit_code == 0, answered.output
    assert json.loads(answered.stdout)["rescue_hazard_ratio"] == 1.0
    assert len(read_histories(tmp_path / "a" / "cohort.toml")) == 40


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rescue-hazard-ratio", "0.75"], "allowed with --history"),
        (["--unmeasured-fitness"], "allowed with --history"),
        (["--history", "--rescue-hazard-ratio", "0"], "--rescue-hazard-ratio 0: allowed is a number above 0; 1 is no effect"),
    ],
)
def test_what_is_set_of_a_history_is_refused_without_one_or_where_it_is_no_ratio(
    tmp_path: Path, options: list[str], message: str
) -> None:
    answered = CliRunner().invoke(lymphorisk.app, ["simulate", "--patients", "40", *options, "--out", str(tmp_path / "a")])
    assert answered.exit_code == 1
    assert message in answered.output
    assert not (tmp_path / "a").exists()
