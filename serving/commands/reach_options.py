"""Options of how the service may be reached."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_HOST = "Address to listen on; beyond loopback only with TLS or behind a proxy."
_ALLOW = "A name by which it may be asked (Host header); may be given again. On loopback also this computer's own."
_PROXY = "Address of the proxy in front: of it alone X-Forwarded-For and X-Forwarded-Proto are believed."
_WORKERS = "Processes that answer; more than one needs --database."

Host = Annotated[str, typer.Option("--host", help=_HOST)]
Port = Annotated[int, typer.Option("--port", min=0, max=65535)]
AllowHost = Annotated[list[str] | None, typer.Option("--allow-host", metavar="NAME", help=_ALLOW)]
Certificate = Annotated[Path | None, typer.Option("--tls-certificate", help="Certificate chain (PEM).", dir_okay=False)]
CertificateKey = Annotated[Path | None, typer.Option("--tls-key", help="Its private key (PEM).", dir_okay=False)]
BehindProxy = Annotated[str | None, typer.Option("--behind-proxy", metavar="ADDRESS", help=_PROXY)]
Workers = Annotated[int, typer.Option("--workers", help=_WORKERS)]
Fd = Annotated[int | None, typer.Option("--fd", hidden=True, help="The socket that a parent process bound.")]
