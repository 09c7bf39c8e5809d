"""A search is never worse than the default, the same for one seed, resumable, and shared by all who open its database."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.fit import choose_learner, fitter_of
from training.learners.crossfit import cross_fit
from training.learners.plan import Settings, plan_of
from training.refused import NotSupported, SearchInterrupted
from training.study.study import Search
from training.study.tunable import Range
from training.tuning.objective import Objective
from training.tuning.search import search
from training.tuning.trials import name_of, open_trials, storage_of
from training.tuning.tried import Tried, found_lines, optimism
from training.tuning.varied import searched, usual, varied

pytestmark = pytest.mark.usefixtures("one_thread")
LINEAR = Search(trials=6, repeats=1, space={"linear.penalty": Range(5, 320), "linear.change": Range(0.5, 32)})


@pytest.fixture(scope="module")
def plan(small_cohort):
    return plan_of(small_cohort, Settings(learner="linear", folds=3, features=("ln_nlr", "albumin", "ecog")))


def database(folder):
    return f"sqlite:///{folder / 'trials.db'}"


def values(tried):
    return [tuple(one.values.values()) for one in sorted(tried, key=lambda one: one.number)]


@pytest.fixture(scope="module")
def whole(plan, tmp_path_factory):
    """A search that nobody disturbed, and what it told."""
    told, heard = [], []
    found = search(
        plan, LINEAR, database(tmp_path_factory.mktemp("whole")), advance=lambda *stage: heard.append(stage), tell=told.append
    )
    return found, told, heard


def test_the_default_is_tried_first_and_the_end_is_no_worse(plan, whole):
    found, told, _ = whole
    assert told[0].usual
    assert told[0].values == usual(plan, LINEAR.space) == {"linear.penalty": 40.0, "linear.change": 4.0}
    assert found.usual == told[0]
    assert found.best.ipa == max(one.ipa for one in told if one.ipa is not None) >= found.usual.ipa
    assert (found.tried, len(told)) == (6, 6)
    assert found.given_up == sum(one.ipa is None for one in told)
    assert found.settings.linear.penalty == found.best.values["linear.penalty"]
    assert replace(found.settings, linear=plan.settings.linear) == plan.settings


def test_a_setting_is_judged_by_the_number_by_which_learners_are_chosen_in_folds_of_its_own(plan):
    objective = Objective(plan, repeats=2)
    chosen = {"linear.penalty": 160.0}
    judged = objective(chosen)
    given = (plan.matrix, plan.cohort.follow_up, [one.id for one in plan.cohort.patients], plan.served)
    again = cross_fit(fitter_of(varied(plan, chosen)), *given, folds=3, repeats=2, seed=2)
    assert judged.ipa == choose_learner(plan.cohort, again)[1]["linear"]
    evaluated = cross_fit(fitter_of(plan), *given, folds=3, repeats=1, seed=1)
    assert all((fold != evaluated.repeats[0].fold).any() for fold in objective.folds)
    assert len(judged.by_fold) == objective.steps == 6


def test_one_seed_gives_one_search(plan, whole, tmp_path):
    told = []
    again = search(plan, LINEAR, database(tmp_path), tell=told.append)
    assert values(told) == values(whole[1])
    assert again.as_json() == whole[0].as_json()
    other = replace(plan, settings=replace(plan.settings, seed=2))
    heard = []
    search(other, replace(LINEAR, trials=3), database(tmp_path), tell=heard.append)
    assert values(heard)[1:] != values(told)[1:3]


def test_a_search_that_was_stopped_goes_on_and_ends_as_if_it_had_not_been(plan, whole, tmp_path):
    def stop_at(number):
        def heard(doing, done, total):
            if f"trial {number}, fold 2" in doing:
                raise KeyboardInterrupt

        return heard

    with pytest.raises(SearchInterrupted, match="stopped after 3 of 6 trials, which are kept: the same command goes on"):
        search(plan, LINEAR, database(tmp_path), advance=stop_at(3))
    told = []
    found = search(plan, LINEAR, database(tmp_path), tell=told.append)
    assert values(told) == values(whole[1])
    assert found.best.ipa == whole[0].best.ipa
    more = search(plan, replace(LINEAR, trials=8), database(tmp_path))
    assert more.tried == 8
    assert search(plan, LINEAR, database(tmp_path)).tried == 8  # whoever asks for fewer loses none


def test_the_default_is_tried_although_it_was_stopped(plan, tmp_path):
    calls = []

    def stop(doing, done, total):
        calls.append(doing)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(SearchInterrupted, match="stopped after 0 of 6"):
        search(plan, LINEAR, database(tmp_path), advance=stop)
    told = []
    search(plan, replace(LINEAR, trials=2), database(tmp_path), tell=told.append)
    assert [one.usual for one in told] == [True, False]


def test_progress_tells_every_fold_and_the_best_so_far(whole):
    found, _, heard = whole
    assert {total for _, _, total in heard} == {6}
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)
    assert heard[-1] == (f"search: best IPA {found.best.ipa:.4f}", 6, 6)
    assert any(doing.endswith("trial 5, fold 2 of 3") for doing, _, _ in heard)


def test_another_cohort_study_or_space_is_another_search(plan, small_cohort):
    names = {
        name_of(small_cohort, plan.settings, LINEAR),
        name_of(replace(small_cohort, digest="0" * 64), plan.settings, LINEAR),
        name_of(small_cohort, replace(plan.settings, features=None), LINEAR),
        name_of(small_cohort, plan.settings, replace(LINEAR, repeats=2)),
        name_of(small_cohort, plan.settings, replace(LINEAR, space={"linear.change": Range(1, 8)})),
    }
    assert len(names) == 5
    more = replace(plan.settings, refits=99)  # for the intervals, after the search
    assert name_of(small_cohort, more, replace(LINEAR, trials=99, storage="sqlite:///x.db")) in names


def test_only_what_is_fitted_is_searched(small_cohort, plan):
    everything = Search()
    assert all(name.startswith("linear.") for name in searched(plan, everything))
    trees = plan_of(small_cohort, Settings(learner="trees"))
    assert all(name.startswith("trees.") for name in searched(trees, everything))
    assert searched(plan_of(small_cohort, Settings()), everything).keys() == everything.space.keys()
    with pytest.raises(NotSupported, match=r"search\.space trees\.depth: only linear of the learners"):
        searched(plan, replace(everything, space={"trees.depth": Range(1, 4)}))


def test_a_setting_reaches_its_learner(small_cohort):
    plan = plan_of(small_cohort, Settings())
    made = varied(plan, {"linear.bends": 2.5, "trees.depth": 2.0, "trees.rate": 0.1})
    assert made.settings.linear.bends == 2.5
    assert (made.trees.depth, made.trees.rate, made.trees.rounds) == (2, 0.1, plan.trees.rounds)
    assert isinstance(made.trees.depth, int)
    assert plan_of(small_cohort, made.settings).trees == made.trees


def test_a_setting_that_lags_is_given_up_and_says_how_far_it_came(small_cohort, tmp_path):
    plan = plan_of(small_cohort, Settings(learner="trees", folds=4, features=("ln_nlr", "albumin", "ecog")))
    space = {"trees.rounds": Range(20, 300), "trees.rate": Range(0.001, 0.9)}
    told = []
    found = search(plan, Search(trials=16, repeats=1, space=space), database(tmp_path), tell=told.append)
    gone = [one for one in told if one.ipa is None]
    assert found.given_up == len(gone) > 0
    assert {len(one.by_fold) for one in gone} == {3}  # not in the first two folds, nor when it has been tried whole
    assert f"16 settings tried, {len(gone)} of them given up early" in found_lines(found)[0]
    patient = search(plan, Search(trials=16, repeats=1, space=space, pruner="none"), database(tmp_path))
    assert patient.given_up == 0


def test_many_may_begin_at_the_same_moment(tmp_path):
    ready = threading.Barrier(6)

    def begin(number):
        ready.wait()
        return open_trials(database(tmp_path), "one", "median").study_name

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(begin, range(6))) == ["one"] * 6


def test_two_processes_search_together(small_file, plan, tmp_path):
    """Trials are counted together; at most the one that each was at is more than were asked for."""
    code = (
        "import sys\nfrom training.cohort import read_cohort\nfrom training.learners.plan import Settings, plan_of\n"
        "from training.study.study import Search\nfrom training.study.tunable import Range\n"
        "from training.tuning.search import search\nfrom threadpoolctl import threadpool_limits\n"
        "settings = Settings(learner='linear', folds=3, features=('ln_nlr', 'albumin', 'ecog'))\n"
        "space = {'linear.penalty': Range(5, 320), 'linear.change': Range(0.5, 32)}\n"
        "with threadpool_limits(1):\n"
        "    found = search(plan_of(read_cohort(sys.argv[1]), settings), Search(12, 1, space=space), sys.argv[2])\n"
        "print(found.best.ipa)"
    )
    words = [sys.executable, "-c", code, str(small_file), database(tmp_path)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    trials = open_trials(database(tmp_path), name_of(plan.cohort, plan.settings, replace(LINEAR, trials=12)), "median").trials
    assert 12 <= len(trials) <= 13
    assert sum("usual" in one.user_attrs for one in trials) >= 1
    best = max(one.value for one in trials if one.value is not None and one.state.name == "COMPLETE")
    assert f"{best}" in {out.strip() for out, _ in said}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nowhere/at/all.db", r"search\.storage sqlite:////nowhere/at/all\.db: it cannot be opened"),
        ("postgresql+nodriver://ann:secret@host/trials", r"search\.storage postgresql\+nodriver://ann:\*\*\*@host/trials"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(url, said):
    with pytest.raises(NotSupported, match=said) as refused:
        open_trials(url, "any", "median")
    assert "secret" not in str(refused.value)


def test_trials_are_kept_beside_the_artifact_unless_a_database_is_named(tmp_path):
    out = tmp_path / "runs" / "model"
    assert storage_of(Search(), out) == f"sqlite:///{tmp_path / 'runs' / 'model-search.db'}"
    assert out.parent.is_dir()
    assert storage_of(Search(storage="postgresql://host/trials"), Path("anywhere")) == "postgresql://host/trials"


def test_the_best_of_many_that_are_alike_is_flattered_by_about_what_the_correction_says():
    # by hand: folds of the best .30 .10, best in each fold .30 and .20: (0 + .10) / 2
    tried = [Tried(0, {}, 0.20, "linear", (0.30, 0.10)), Tried(1, {}, 0.15, "linear", (0.10, 0.20))]
    tried.append(Tried(2, {}, None, "", (0.9,)))
    assert optimism(tried, tried[0]) == pytest.approx(0.05)
    assert optimism(tried[:1], tried[0]) is None
    # settings that are all worth nothing: the mean of the best is pure luck
    rng = np.random.default_rng(1)
    luck, corrected = [], []
    for _ in range(400):
        folds = rng.normal(0, 1, (20, 10))
        made = [Tried(number, {}, float(row.mean()), "linear", tuple(row)) for number, row in enumerate(folds)]
        best = max(made, key=lambda one: one.ipa)
        luck.append(best.ipa)
        corrected.append(best.ipa - optimism(made, best))
    assert np.mean(luck) > 0.4
    assert np.mean(corrected) < 0.1  # it never flatters; with folds as noisy as these it takes too much
