"""The operator's command: serve a model over HTTP to whom the access folder lets in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serving.commands.model_options import MODEL, RECEIPTS, Digest, Releases, SealKey, Site, TrackingUri, Witness
from serving.commands.options import DEFAULT_ACCESS, DEFAULT_RECEIPTS, Access, AccessKey, Database, Heads, ReceiptsKey
from serving.hosts import is_loopback
from serving.keeping import Keeping
from serving.loading import RELEASES, Where, refuse

_Model = Annotated[str, typer.Option("--model", metavar="MODEL", help=MODEL)]
_Receipts = Annotated[Path, typer.Option("--receipts", help=RECEIPTS, file_okay=False)]
_DEV = "For trying things out, on this computer alone: serve a model of simulated patients, without keys."


def serve(
    model: _Model,
    host: Annotated[str, typer.Option(help="Loopback only: who may ask comes with a later version.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    dev: Annotated[bool, typer.Option("--dev", help=_DEV)] = False,
    digest: Digest = None,
    site: Site = "",
    tracking_uri: TrackingUri = None,
    releases: Releases = RELEASES,
    seal_key: SealKey = None,
    receipts: _Receipts = DEFAULT_RECEIPTS,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    database: Database = "",
    witness: Witness = None,
    access: Access = DEFAULT_ACCESS,
    access_key: AccessKey = None,
) -> None:
    """Serve a model over HTTP: POST /v1/scores, GET /v1/model, GET /livez, GET /readyz. No score leaves without a receipt."""
    if not is_loopback(host):
        refuse(f"--host {host}: allowed is a loopback address (127.0.0.1); there is no access control yet")
    try:
        from serving.running import Asked, run
    except ModuleNotFoundError as error:
        refuse(f"{error.name} is not installed: the service needs lymphorisk[serving]")
    keeping = Keeping(receipts, receipts_key, heads, witness, database)
    run(Asked(model, digest, Where(tracking_uri, releases, seal_key), site, dev, host, port, keeping, access, access_key))
