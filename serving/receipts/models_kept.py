"""The models that ever answered, kept beside the receipts: without its model no score can be computed again.

    receipts/models/<digest>/    the artifact, byte for byte as it answered, checked against its digest whenever it is read
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.artifact import Artifact, InvalidArtifact, load
from models.durable import locked, make_folder
from models.release import copied

MODELS = "models"
_COPYING = "models.lock"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ModelMissing(ValueError):
    """The model that answered is not to be had: not kept, altered since, not readable by this version; the message tells."""


def keep_model(receipts: Path, folder: Path, digest: str) -> Path:
    """Copy the artifact in `folder` into the folder of the receipts, verified before and after; where it is already, verified.

    Raises InvalidArtifact where either is not the artifact of this digest, OSError where it cannot be written.
    """
    root = receipts / MODELS
    make_folder(root)
    with locked(receipts / _COPYING):  # several processes learn of a new model in the same second
        return copied(root, folder, digest)


@dataclass
class KeptModels:
    """Finds the model of a digest, once: among those kept with the receipts, then among the artifact folders `others`."""

    receipts: Path
    others: Sequence[Path] = ()
    _found: dict[str, Artifact | str] = field(default_factory=dict, repr=False)

    def model(self, digest: str) -> Artifact:
        """The verified artifact; ModelMissing says why there is none."""
        if digest not in self._found:
            self._found[digest] = self._look(digest)
        found = self._found[digest]
        if isinstance(found, str):
            raise ModelMissing(found)
        return found

    def digests(self) -> list[str]:
        """Of the models that are kept."""
        root = self.receipts / MODELS
        return sorted(one.name for one in root.iterdir() if _DIGEST.fullmatch(one.name)) if root.exists() else []

    def _look(self, digest: str) -> Artifact | str:
        kept = self.receipts / MODELS / digest
        why = [] if kept.exists() else [f"no model {digest} in {kept.parent}"]
        for folder in (*([kept] if kept.exists() else []), *self.others):
            try:
                return load(folder, digest)
            except (InvalidArtifact, OSError) as error:
                why.append(str(error))
        way_out = [] if self.others else ["--model FOLDER replays from a copy that lies elsewhere"]
        return "; ".join(why + way_out)
