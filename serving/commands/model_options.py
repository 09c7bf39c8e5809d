"""Options of the commands that score: which model, at which site, and where what vouches for it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MODEL = "An artifact folder, a folder of releases (its champion) or an MLflow URI (models:/name@alias)."
Digest = Annotated[str | None, typer.Option("--digest", help="Take only the model of this digest.")]
Site = Annotated[str, typer.Option("--site", help="The site this runs at, named in every answer.")]
TrackingUri = Annotated[str | None, typer.Option("--tracking-uri", help="The MLflow store of an MLflow URI.")]
Releases = Annotated[Path, typer.Option("--releases", help="The releases with their ledger: champion, and words on the site.")]
SealKey = Annotated[Path | None, typer.Option("--seal-key", help="File of the key with which the ledger was sealed.")]
RECEIPTS = "Folder of the receipts: every score is recorded there before it is shown."
Witness = Annotated[
    Path | None, typer.Option("--witness", help="A second file for the signed heads, on another volume.", dir_okay=False)
]
