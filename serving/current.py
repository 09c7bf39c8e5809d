"""The model that answers now: exchanged as one value, so that no request is answered by two."""

from __future__ import annotations

from models.artifact import Artifact
from serving.openapi.document import document
from serving.openapi.words import Schema


class Current:
    """Holds a verified model until another takes its place; whoever answers reads `artifact` once."""

    fault = ""  # why the one that should answer now, by the releases, does not

    def __init__(self, artifact: Artifact):
        self.take(artifact)

    def take(self, artifact: Artifact) -> None:
        """From the next request on, this one answers, and `contract` (OpenAPI) is what may be asked of it."""
        self.contract: Schema = document(artifact.model)
        self.artifact = artifact
