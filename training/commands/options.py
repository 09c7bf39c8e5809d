"""What the verbs ask for in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_ACCEPT = "Take columns that are suspicious but possible as they are; the reason is kept in the card. Never an impossible value."
_MODEL = "An artifact folder or an MLflow URI (models:/name@alias)."
_COHORT = "A cohort file (TOML) beside its tables."
_DATA = "Folder of the cohort's tables, if not beside its file."
_AGAINST = "Another cohort with which no patient may be shared: the development cohort, where this one is to judge a model."
CohortPath = Annotated[Path, typer.Argument(metavar="COHORT", help=_COHORT, exists=True, dir_okay=False)]
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help=_MODEL)]
Data = Annotated[Path | None, typer.Option("--data", help=_DATA, file_okay=False)]
Accept = Annotated[str, typer.Option("--accept", metavar="REASON", help=_ACCEPT)]
Against = Annotated[Path | None, typer.Option("--against", metavar="COHORT", help=_AGAINST, exists=True, dir_okay=False)]
Artifacts = Annotated[Path, typer.Option("--out", help="Folder for the artifact; must not exist or be empty.", file_okay=False)]
Bootstrap = Annotated[int, typer.Option("--bootstrap", min=0, help="Resamples for the intervals of the evaluation.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same numbers.")]
Digest = Annotated[str | None, typer.Option("--digest", help="Refuse any model but the one of this digest.")]
TrackingUri = Annotated[str, typer.Option("--tracking-uri", help="The MLflow store or server.")]
RegisteredName = Annotated[str, typer.Option("--registered-name", help="Name in the MLflow registry.")]
Releases = Annotated[Path, typer.Option("--releases", help="The folder of the releases and their ledger.", file_okay=False)]
SealKey = Annotated[Path | None, typer.Option("--seal-key", help="The file of the key that seals the ledger.", dir_okay=False)]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it; a claim, kept in the ledger.")]
_DOES = "File with the API key of whoever does it."
_APPROVES = "File with the API key of the auditor or administrator who approves; another person's."
ByKey = Annotated[Path | None, typer.Option("--by-key", envvar="LYMPHORISK_BY_KEY", help=_DOES)]
ApprovedByKey = Annotated[Path | None, typer.Option("--approved-by-key", envvar="LYMPHORISK_APPROVED_BY_KEY", help=_APPROVES)]
Access = Annotated[Path, typer.Option("--access", help="The folder of the API keys (lymphorisk keys).", file_okay=False)]
AccessKey = Annotated[Path | None, typer.Option("--access-key", help="File of the key that seals the API keys.", dir_okay=False)]
DEFAULT_ACCESS = Path("access")
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the ledger.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON on standard output.")]
DEFAULT_TRACKING = "sqlite:///mlflow.db"
DEFAULT_RELEASES = Path("releases")
DEFAULT_NAME = "lymphorisk"
