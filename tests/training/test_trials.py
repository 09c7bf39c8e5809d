"""Every setting that was tried is a child run of the training run, and a server that goes away loses none of them."""

import math
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from models import artifact
from training.tracking.track import Tracking, track
from training.tracking.trials import PARENT, told_trials
from training.tuning.tried import Tried

WHOLE = Tried(0, {"linear.penalty": 40.0, "trees.depth": 3}, 0.21, "ensemble", (0.2, math.nan, 0.22), usual=True)
GONE = Tried(1, {"linear.penalty": 300.0, "trees.depth": 1}, None, "", (0.1, 0.11))


@pytest.fixture
def tracking(tmp_path):
    return Tracking(uri=f"sqlite:///{tmp_path / 'mlflow.db'}", pyfunc=tmp_path / "unused.py")


def runs(tracking):
    client = MlflowClient(tracking.uri)
    experiment = client.get_experiment_by_name("lymphorisk")
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])} if experiment else {}


def test_a_trial_is_a_child_run_as_soon_as_it_is_finished(tracking):
    with told_trials(tracking, "clinic") as trials:
        assert runs(tracking) == {}
        trials.tell(WHOLE)
        assert set(runs(tracking)) == {"clinic", "trial 0"}
        trials.tell(GONE)
        found = runs(tracking)
    assert found["clinic"].info.run_id == trials.run
    assert {found[name].data.tags[PARENT] for name in ("trial 0", "trial 1")} == {trials.run}
    whole, gone = found["trial 0"], found["trial 1"]
    assert whole.data.params == {"linear.penalty": "40.0", "trees.depth": "3", "learner": "ensemble", "default": "true"}
    assert whole.data.metrics == {"ipa": 0.21, "ipa_by_fold": 0.22}
    history = MlflowClient(tracking.uri).get_metric_history(whole.info.run_id, "ipa_by_fold")
    assert [(one.step, one.value) for one in history] == [(1, 0.2), (3, 0.22)]
    assert (whole.info.status, gone.info.status) == ("FINISHED", "KILLED")
    assert gone.data.metrics == {"ipa_by_fold_uncalibrated": 0.11}
    assert {run.info.user_id for run in found.values()} == {"lymphorisk"}


def test_a_server_that_goes_away_does_not_end_the_search_and_hears_the_rest_at_the_end(tracking, monkeypatch):
    create, calls = MlflowClient.create_run, []

    def fails(self, *given, **named):
        calls.append(named["run_name"])
        if len(calls) == 3:
            raise MlflowException("gone")
        return create(self, *given, **named)

    monkeypatch.setattr(MlflowClient, "create_run", fails)
    with told_trials(tracking, "clinic") as trials:
        for tried in (WHOLE, GONE, Tried(2, {}, 0.2, "linear", (0.2,))):
            trials.tell(tried)
        assert calls == ["clinic", "trial 0", "trial 1"]  # not asked again after every trial
        assert set(runs(tracking)) == {"clinic", "trial 0"}
        trials.tell_the_rest()
    assert set(runs(tracking)) == {"clinic", "trial 0", "trial 1", "trial 2"}


def test_a_run_that_breaks_off_is_marked_and_one_without_trials_leaves_nothing(tracking):
    def stopped():
        with told_trials(tracking, "stopped") as trials:
            trials.tell(WHOLE)
            raise KeyboardInterrupt("by somebody")

    with pytest.raises(KeyboardInterrupt, match="by somebody"):
        stopped()
    assert runs(tracking)["stopped"].info.status == "KILLED"
    with pytest.raises(ValueError, match="nothing"), told_trials(tracking, "refused"):
        raise ValueError("nothing")
    assert "refused" not in runs(tracking)
    with told_trials(None, "not tracked") as trials:
        assert trials is None


def test_the_run_that_the_trials_began_becomes_the_training_run(
    tracking, small_cohort, small_settings, small_fit, small_validation, small_artifact, tmp_path
):
    pyfunc = Path(__file__).parents[2] / "serving" / "pyfunc.py"
    tracking = Tracking(uri=tracking.uri, pyfunc=pyfunc)
    with told_trials(tracking, small_cohort.name) as trials:
        trials.tell(WHOLE)
        digest = artifact.load(small_artifact).digest
        given = (small_cohort, small_settings, small_fit, small_validation, small_artifact, digest, ())
        tracked = track(tracking, *given, begun=trials.run)
    assert tracked.run_id == trials.run
    found = runs(tracking)
    assert set(found) == {small_cohort.name, "trial 0"}
    run = found[small_cohort.name]
    assert run.info.status == "FINISHED"
    assert run.data.tags["lymphorisk.digest"] == digest
    assert run.data.tags["mlflow.note.content"].startswith("EXAMPLE")
    assert run.data.params["linear.penalty"] == "40.0"
