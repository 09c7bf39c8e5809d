"""An analysis of recovery kept in MLflow: what was asked of whom, every ratio with its interval, and the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training.tracking.mlflow_store import client_of, experiment_id
from training.tracking.track import NEUTRAL
from training.tracking.tracked_numbers import Number

EXPERIMENT = "lymphorisk-rescue"
Document = Mapping[str, Any]


def track_analysis(told: Document, folder: Path, uri: str) -> str:
    """The id of the run in which the analysis written to `folder` is kept, in the store `uri`; no row of a patient is in it."""
    client = client_of(uri)
    tags = NEUTRAL | {"mlflow.source.name": "lymphorisk rescue", "lymphorisk.cohort_digest": told["cohort"]["digest"]}
    tags["mlflow.note.content"] = "\n\n".join([*filter(None, [told.get("example", "")]), _note(told)])
    experiment = experiment_id(client, uri, EXPERIMENT)
    run, status = str(client.create_run(experiment, tags=tags, run_name=told["cohort"]["name"]).info.run_id), "FAILED"
    try:
        for name, value in _parameters(told).items():
            client.log_param(run, name, value)
        for one in numbers(told):
            client.log_metric(run, one.name, one.value, step=one.step)
        client.log_artifacts(run, str(folder))
        status = "FINISHED"
    finally:
        client.set_terminated(run, status)
    return run


def _note(told: Document) -> str:
    found = f"{told['patients']} lymphopenic patients of {told['cohort']['name']}, {told['deaths']} deaths."
    return f"{found} Associations, not causes; the biased analysis is among the numbers and is marked as such."


def _parameters(told: Document) -> dict[str, str]:
    cohort = {f"cohort_{name}": str(told["cohort"][name]) for name in ("name", "source", "digest")}
    settings = {name: str(value) for name, value in told["settings"].items()}
    sizes = {name: str(told[name]) for name in ("patients", "deaths", "adjusted_for")}
    return {**cohort, **settings, **sizes}


def numbers(told: Document) -> Iterator[Number]:
    """Every ratio with its ends, what chance alone gives, and the E-value; what was refused is not there."""
    for one in told["events"]:
        for how in ("unadjusted", "adjusted"):
            yield from _ratio(f"time_dependent/{one['name']}_{how}", one[how])
    for day, at in told["landmarks"].items():
        if "refused" not in at:
            yield Number("landmark/log_rank_p", at["log_rank_p"], int(float(day)))
            for how in ("unadjusted", "adjusted"):
                yield from _ratio(f"landmark/{how}", at[how], int(float(day)))
    for of in ("regression_to_mean", "e_value"):
        yield from (Number(f"{of}/{name}", value, 0) for name, value in told[of].items() if isinstance(value, float))
    naive = told["naive"]
    if "refused" not in naive:
        yield from (each for how in ("unadjusted", "adjusted") for each in _ratio(f"naive_biased/{how}", naive[how]))
        if isinstance(naive["by_lot"], float):
            yield Number("naive_biased/by_lot", naive["by_lot"], 0)


def _ratio(name: str, found: Document, step: int = 0) -> Iterator[Number]:
    if "refused" not in found:
        yield Number(name, found["value"], step)
        yield Number(f"{name}_low", found["low"], step)
        yield Number(f"{name}_high", found["high"], step)
