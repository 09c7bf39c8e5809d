"""How the service may be reached: at which address, by which names, over TLS or behind a proxy; and what is refused of that.

Keys and patients never go over a network in the clear: beyond this computer there is TLS, or a proxy in front that has it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from serving.hosts import Hosts, is_loopback

MOST_WORKERS = 64


@dataclass(frozen=True)
class Reached:
    """What the command line says of it."""

    host: str
    port: int
    names: tuple[str, ...] = ()  # by which it may be asked, besides this computer's own
    certificate: Path | None = None
    key: Path | None = None
    proxy: str | None = None  # the address of the one whose X-Forwarded-For and X-Forwarded-Proto are believed
    workers: int = 1
    fd: int | None = None  # of a socket that a parent bound for this process

    @property
    def loopback(self) -> bool:
        """Whether nobody but this computer can reach it."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """Where it answers, but for the port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}"

    @property
    def hosts(self) -> Hosts:
        """By which names it may be asked. ValueError for one that names no computer."""
        return Hosts(self.names, loopback=self.loopback)

    def refused(self, *, dev: bool, database: bool) -> str:
        """Why it may not be served so, and what may be; nothing where it may."""
        return self._in_the_clear(dev) or self._unsaid() or self._too_many(database)

    def _in_the_clear(self, dev: bool) -> str:
        if (self.certificate is None) != (self.key is None):
            return "--tls-certificate and --tls-key: TLS needs both"
        if not self.loopback and dev:
            return f"--host {self.host} --dev: without keys it answers on a loopback address alone (127.0.0.1)"
        if not self.loopback and self.certificate is None and self.proxy is None:
            ways = "--tls-certificate with --tls-key, or --behind-proxy ADDRESS"
            return f"--host {self.host}: keys and patients would go in the clear; allowed are loopback (127.0.0.1), {ways}"
        return ""

    def _unsaid(self) -> str:
        if not self.loopback and not self.names:
            return f"--host {self.host}: by which name it is asked must be said (--allow-host scores.hospital.example)"
        try:
            _ = self.hosts, ipaddress.ip_address(self.proxy or "127.0.0.1")
        except ValueError as error:
            return f"--allow-host, --behind-proxy: {error}"
        return ""

    def _too_many(self, database: bool) -> str:
        if not 1 <= self.workers <= MOST_WORKERS:
            return f"--workers {self.workers}: allowed are 1 to {MOST_WORKERS}"
        if self.workers > 1 and not database:
            return f"--workers {self.workers}: several processes write receipts into PostgreSQL alone (--database URL)"
        return ""
