"""An artifact folder out of MLflow."""

from __future__ import annotations

from typing import Annotated

import typer

from training.commands.answering import answer, refusing
from training.commands.given import fetched
from training.commands.options import DEFAULT_TRACKING, Artifacts, AsJson, TrackingUri

_URI = "models:/name@alias, models:/name/3, models:/m-... or runs:/..."


def fetch(
    uri: Annotated[str, typer.Argument(metavar="URI", help=_URI)],
    out: Artifacts,
    tracking_uri: TrackingUri = DEFAULT_TRACKING,
    as_json: AsJson = False,
) -> None:
    """The artifact folder of a model in MLflow, verified."""
    with refusing(as_json):
        digest = fetched(uri, out, tracking_uri)
    answer({"model": str(out), "digest": digest}, f"{out}  digest {digest}", as_json)
