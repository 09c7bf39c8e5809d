"""The card of a model, and whether every number of it is still what its source says."""

from __future__ import annotations

from training.commands.answering import answer, refuse, refusing
from training.commands.given import folder_of
from training.commands.options import DEFAULT_TRACKING, AsJson, Digest, ModelName, TrackingUri


def card(
    model: ModelName, digest: Digest = None, tracking_uri: TrackingUri = DEFAULT_TRACKING, as_json: AsJson = False
) -> None:
    """The card of a model; refused where one number of it is not what its source in the artifact says."""
    with refusing(as_json), folder_of(model, tracking_uri) as folder:
        import json

        from models.artifact import load
        from training.telling.card import CARD, PAGE, check_card

        load(folder, digest)
        if wrong := check_card(folder):
            refuse(wrong, as_json)
        answer(json.loads((folder / CARD).read_text(encoding="utf-8")), (folder / PAGE).read_text(encoding="utf-8"), as_json)
