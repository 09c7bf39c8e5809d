"""A saved model on another cohort."""

from __future__ import annotations

from training.commands.answering import answer, refusing
from training.commands.given import artifact_of, cohort_of
from training.commands.options import (
    DEFAULT_TRACKING,
    Accept,
    AsJson,
    Bootstrap,
    CohortPath,
    Data,
    Digest,
    ModelName,
    Seed,
    TrackingUri,
)


def evaluate(
    model: ModelName,
    cohort: CohortPath,
    data: Data = None,
    accept: Accept = "",
    bootstrap: Bootstrap = 200,
    seed: Seed = 1,
    digest: Digest = None,
    tracking_uri: TrackingUri = DEFAULT_TRACKING,
    as_json: AsJson = False,
) -> None:
    """A saved model on another cohort: discrimination, calibration and overall fit with intervals."""
    with refusing(as_json):
        from training.judge import judge, judgement_text
        from training.progress import Bars

        loaded = artifact_of(model, digest, tracking_uri).model
        read = cohort_of(cohort, data, accept, loaded.required)
        with Bars() as bars:
            found = judge(loaded, read, bootstrap=bootstrap, seed=seed, advance=bars)
    answer(found, judgement_text(loaded, found), as_json)
