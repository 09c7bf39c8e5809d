"""The operator's command: serve a model over HTTP to whom the access folder lets in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serving.commands.model_options import MODEL, RECEIPTS, Digest, Releases, SealKey, Site, TrackingUri, Witness
from serving.commands.options import DEFAULT_ACCESS, DEFAULT_RECEIPTS, Access, AccessKey, Database, Heads, ReceiptsKey
from serving.commands.reach_options import AllowHost, BehindProxy, Certificate, CertificateKey, Fd, Host, Port, Workers
from serving.keeping import Keeping
from serving.loading import RELEASES, Where, refuse
from serving.reaching import Reached

_Model = Annotated[str, typer.Option("--model", metavar="MODEL", help=MODEL)]
_Receipts = Annotated[Path, typer.Option("--receipts", help=RECEIPTS, file_okay=False)]
_DEV = "For trying things out, on this computer alone: serve a model of simulated patients, without keys."


def serve(
    model: _Model,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    allow_host: AllowHost = None,
    tls_certificate: Certificate = None,
    tls_key: CertificateKey = None,
    behind_proxy: BehindProxy = None,
    workers: Workers = 1,
    fd: Fd = None,
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
    reached = Reached(host, port, tuple(allow_host or ()), tls_certificate, tls_key, behind_proxy, workers, fd)
    try:
        from serving.running import Asked, run
    except ModuleNotFoundError as error:
        refuse(f"{error.name} is not installed: the service needs lymphorisk[serving]")
    keeping = Keeping(receipts, receipts_key, heads, witness, database)
    if why := reached.refused(dev=dev, database=bool(database)):
        refuse(why)
    run(Asked(model, digest, Where(tracking_uri, releases, seal_key), site, dev, reached, keeping, access, access_key))
