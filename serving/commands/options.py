"""Options that the auditor's commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_RECEIPTS, DEFAULT_ACCESS = Path("receipts"), Path("access")
DATABASE_VARIABLE = "LYMPHORISK_DATABASE"
DATABASE_HELP = "PostgreSQL that holds the records, as postgresql://role@host/name; never with a password."

Receipts = Annotated[Path, typer.Option("--receipts", help="The folder of the receipts.", file_okay=False)]
ReceiptsKey = Annotated[Path | None, typer.Option("--receipts-key", help="File of the key that seals and opens the receipts.")]
Heads = Annotated[
    Path | None, typer.Option("--heads", help="The signed heads, if not heads.jsonl beside the store.", dir_okay=False)
]
Database = Annotated[
    str, typer.Option("--database", metavar="URL", envvar=DATABASE_VARIABLE, help=f"{DATABASE_HELP} Without it a file does.")
]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON on standard output.")]
Access = Annotated[Path, typer.Option("--access", help="The folder that says who may ask.", file_okay=False)]
AccessKey = Annotated[Path | None, typer.Option("--access-key", help="File of the key that seals the API keys.", dir_okay=False)]
