"""The process that answers over HTTP: it listens, answers until it is asked to end, and ends when what is under way is done."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import resource
import signal
import socket
import ssl
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette

from serving.connection import HEAD_SECONDS, Connection
from serving.connections import MOST, Connections
from serving.front import Front
from serving.hosts import Hosts
from serving.limits import Room
from serving.logs import tell, write_lines
from serving.metrics import Metrics
from serving.protection import HEADERS

LEAVE_SECONDS = 10  # what a request under way is given when the process is asked to end
COLLECT = (50_000, 20, 100)  # objects, and generations: before circles of objects are looked for
KEPT, _GIVE_BACK = 32 * 2**20, -1  # bytes of free memory that are kept for the next company
BACKLOG = 2048  # connections that wait to be taken up
OTHER_FILES = 128  # that a worker has open besides connections: receipts, heads, the database, its log
HANDSHAKES = 2048  # files for those whose handshake has yet to come, and who have no place before


@dataclass(frozen=True)
class Entrance:
    """By which names and how the service may be reached: over TLS, behind the one proxy whose word is believed, or plainly."""

    hosts: Hosts = field(default_factory=Hosts)
    tls: ssl.SSLContext | None = None
    proxy: str | None = None
    room: Room = field(default_factory=Room)
    metrics: Metrics = field(default_factory=Metrics)


def tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """What answers over TLS 1.2 or later. OSError (or its kind, ssl.SSLError) where the two are none, or not of each other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


def places() -> int:
    """How many connections there may be: as many as files may be open, which is raised where it may be."""
    wanted, (now, most) = MOST + OTHER_FILES + HANDSHAKES, resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    if now != resource.RLIM_INFINITY and now < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return min(max(allowed - OTHER_FILES, 1), MOST)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; connections wait in it until they are served. OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def serve(app: Starlette, at: socket.socket, entrance: Entrance | None = None) -> None:
    """Answer until the process is asked to end, by SIGTERM or SIGINT; returns then, when what was under way is done."""
    write_lines()
    _spare_memory_the_way()
    # the server raises the signal again when it has shut down: what the caller still has to close must be closed then
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    entrance = entrance or Entrance()
    config = uvicorn.Config(
        Front(app, entrance.hosts, entrance.metrics),
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=entrance.proxy is not None,  # otherwise a forwarded address is anybody's word
        forwarded_allow_ips=entrance.proxy or "",
        server_header=False,
        headers=list(HEADERS),
        timeout_graceful_shutdown=LEAVE_SECONDS,
    )
    try:
        _Server(config, entrance).run([at])
    except KeyboardInterrupt:
        tell(logging.INFO, "asked to end")


class _Server(uvicorn.Server):
    """The server, whose connections have limits, and whose handshakes an end."""

    def __init__(self, config: uvicorn.Config, entrance: Entrance):
        super().__init__(config)
        self._entrance = entrance

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        entrance, state = self._entrance, self.server_state
        connections = Connections(entrance.room, loop, entrance.metrics, places())
        patience = HEAD_SECONDS if entrance.tls else None  # for a handshake; without TLS there is none

        def made() -> asyncio.Protocol:
            return Connection(self.config, state, connections)

        self.servers = [
            await loop.create_server(made, sock=at, backlog=BACKLOG, ssl=entrance.tls, ssl_handshake_timeout=patience)
            for at in sockets or []
        ]
        self.started = True


def _spare_memory_the_way() -> None:
    """What was loaded stays; an answer is thousands of objects in no circle, and looking for circles among them took a sixth.

    The memory of one company of patients is that of the next: given back to the system in between, as the C library of Linux
    does, every page of it would have to be cleared anew (mallopt(3), and -1 is the threshold for giving back).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:  # other C libraries have none
        mallopt(_GIVE_BACK, KEPT)


def _leave(*_: object) -> NoReturn:
    raise KeyboardInterrupt
