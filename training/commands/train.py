"""A cohort becomes a model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from training.commands.answering import answer, refusing
from training.commands.options import DEFAULT_TRACKING, Accept, Artifacts, AsJson, Bootstrap, CohortPath, Data, Seed, TrackingUri

if TYPE_CHECKING:
    from training.cohort import Cohort

_FEATURES = "Comma-separated features named in advance; all supported ones without it."
Learner = Annotated[Literal["auto", "linear", "ensemble", "trees"], typer.Option(help="auto: by cross-validated IPA.")]


def train_command(pyfunc: Path) -> Callable[..., None]:
    """The verb `train`; `pyfunc` is the models-from-code file that MLflow is to register."""

    def train(
        cohort: CohortPath,
        out: Artifacts,
        data: Data = None,
        accept: Accept = "",
        features: Annotated[str, typer.Option(help=_FEATURES)] = "",
        learner: Learner = "auto",
        folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation, grouped by patient.")] = 5,
        repeats: Annotated[int, typer.Option(min=1, help="Repeats of the cross-validation.")] = 1,
        bootstrap: Bootstrap = 200,
        refits: Annotated[int, typer.Option(min=2, help="Refits for the intervals of every score.")] = 50,
        seed: Seed = 1,
        tracking_uri: TrackingUri = DEFAULT_TRACKING,
        experiment: Annotated[str, typer.Option(help="MLflow experiment.")] = "lymphorisk",
        registered_name: Annotated[str, typer.Option("--registered-name", help="Name in the MLflow registry.")] = "lymphorisk",
        no_tracking: Annotated[bool, typer.Option("--no-tracking", help="Save the artifact only.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Fit, cross-validate, save and track a model; which learner is saved is decided by cross-validated IPA."""
        with refusing(as_json):
            from training.learners.plan import Settings
            from training.progress import Bars
            from training.report import run_json, run_text
            from training.run import train as train_on
            from training.tracking.track import Tracking

            named = tuple(name.strip() for name in features.split(",") if name.strip()) or None
            settings = Settings(named, learner, folds=folds, repeats=repeats, refits=refits, seed=seed)
            tracking = Tracking(uri=tracking_uri, experiment=experiment, registered_name=registered_name, pyfunc=pyfunc)
            kept = None if no_tracking else tracking
            with Bars() as bars:
                trip = partial(train_on, data=data, accept=accept, bootstrap=bootstrap, tracking=kept, advance=bars, say=_say)
                run = trip(cohort, out, settings)
        answer(run_json(run), run_text(run), as_json)

    return train


def _say(read: Cohort) -> None:
    """The account of the cohort, to whoever waits for the rest."""
    from training.telling.account import account_text

    typer.echo(account_text(read), err=True)
