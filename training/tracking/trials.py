"""Every setting that a search tries is a child run of the training run in MLflow, as soon as it is finished.

A server that goes away during the search does not end it: what it missed is told again at the end, with the run itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from training.tracking.mlflow_store import client_of, experiment_id
from training.tracking.track import NEUTRAL, Tracking
from training.tuning.tried import Tried

if TYPE_CHECKING:
    from mlflow import MlflowClient

PARENT = "mlflow.parentRunId"  # MLflow's own name of what makes a run a child


class Trials:
    """The training run, begun with its first trial, and its children; `run` is its id, None as long as nobody told of a trial."""

    def __init__(self, tracking: Tracking, name: str):
        self.tracking, self.name = tracking, name
        self.run: str | None = None
        self.untold: list[Tried] = []
        self.gone = False

    def tell(self, tried: Tried) -> None:
        """Keep a trial now, or at the end where the server is gone."""
        from mlflow.exceptions import MlflowException

        self.untold.append(tried)
        if self.gone:
            return
        try:
            self.tell_the_rest()
        except (MlflowException, OSError):
            self.gone = True  # asking again after each trial would only hold the search up

    def tell_the_rest(self) -> None:
        """Keep what could not be kept so far. Raises as MLflow does."""
        if not self.untold:
            return
        client = client_of(self.tracking.uri)
        experiment = experiment_id(client, self.tracking.uri, self.tracking.experiment)
        if self.run is None:
            self.run = client.create_run(experiment, tags=dict(NEUTRAL), run_name=self.name).info.run_id
        while self.untold:
            self._keep(client, experiment, self.untold[0])
            self.untold.pop(0)

    def _keep(self, client: MlflowClient, experiment: str, tried: Tried) -> None:
        from mlflow.entities import Metric, Param

        whole = tried.ipa is not None
        tags = NEUTRAL | {PARENT: str(self.run), "lymphorisk.trial": "whole" if whole else "given up"}
        info = client.create_run(experiment, tags=tags, run_name=f"trial {tried.number}").info
        by_fold = "ipa_by_fold" if whole else "ipa_by_fold_uncalibrated"
        told = [Metric(by_fold, ipa, info.start_time, fold) for fold, ipa in enumerate(tried.by_fold, 1) if ipa == ipa]
        told += [Metric("ipa", tried.ipa, info.start_time, 0)] if tried.ipa is not None else []
        params = {**tried.values, "learner": tried.learner or "none yet", "default": str(tried.usual).lower()}
        client.log_batch(info.run_id, metrics=told, params=[Param(name, str(value)) for name, value in params.items()])
        client.set_terminated(info.run_id, "FINISHED" if whole else "KILLED")


@contextmanager
def told_trials(tracking: Tracking | None, name: str) -> Iterator[Trials | None]:
    """The trials of a run that is kept in MLflow, None where nothing is; a run that breaks off is marked as such."""
    from mlflow.exceptions import MlflowException

    if tracking is None:
        yield None
        return
    trials = Trials(tracking, name)
    try:
        yield trials
    except BaseException:
        if trials.run is not None and not trials.gone:
            try:
                client_of(tracking.uri).set_terminated(trials.run, "KILLED")
            except (MlflowException, OSError):
                trials.gone = True  # the reason why the run broke off is the one to tell
        raise
