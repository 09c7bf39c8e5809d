"""A PostgreSQL of one's own, which runs as somebody who is not root, on a socket in a folder that goes with it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ADMINISTRATOR = "search"  # the superuser of the server
_NOWHERE = subprocess.DEVNULL
_STARTS = 30.0  # seconds after which a server that does not answer is given up


def programs() -> str | None:
    """The folder of initdb and pg_ctl: on the path, or where Debian puts them, the newest version first."""
    on_path = shutil.which("initdb")
    if on_path:
        return str(Path(on_path).parent)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    return str(found[-1].parent) if found else None


@dataclass(frozen=True)
class Server:
    """A server that was made here; `home` holds its socket, its data and its log."""

    programs: str
    home: str
    options: str

    def url(self, database: str = "postgres", role: str = ADMINISTRATOR) -> str:
        """As a user writes it: without a driver and without a password."""
        return f"postgresql://{role}@/{database}?host={self.home}"

    def start(self) -> None:
        """Start it, and wait until it answers; again and again while something is left of one that was killed."""
        words = ("-l", f"{self.home}/log", "-o", f"-k {self.home} -c listen_addresses='' {self.options}")
        end = time.monotonic() + _STARTS
        while True:
            try:
                self.run("pg_ctl", "start", "-w", *words)
                return
            except subprocess.CalledProcessError:
                if time.monotonic() > end:
                    raise RuntimeError(Path(self.home, "log").read_text(encoding="utf-8")[-2000:]) from None
                time.sleep(0.1)

    def stop(self) -> None:
        """As if the power went: no process has a say in it."""
        self.run("pg_ctl", "stop", "-w", "-m", "immediate")

    def kill(self) -> None:
        """SIGKILL to the postmaster; its children notice that it is gone, and end before another one can begin."""
        postmaster = int(Path(self.home, "data", "postmaster.pid").read_text(encoding="ascii").split()[0])
        children = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _stat(pid)[1:2] == [str(postmaster)]]
        os.kill(postmaster, signal.SIGKILL)
        end = time.monotonic() + _STARTS
        while any(map(_alive, children)) and time.monotonic() < end:
            time.sleep(0.02)

    def does(self, statement: str, database: str = "postgres", role: str = ADMINISTRATOR) -> list[tuple[Any, ...]]:
        """What a statement says, on a connection of its own."""
        import psycopg

        with psycopg.connect(self.url(database, role), autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def run(self, program: str, *words: str) -> None:
        """One of its programs, as the one who owns its data."""
        nobody = pwd.getpwnam("nobody")
        other = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        given = [f"{self.programs}/{program}", "-D", f"{self.home}/data", *words]
        subprocess.run(given, cwd=self.home, check=True, stdout=_NOWHERE, stderr=_NOWHERE, timeout=60, **other)  # type: ignore[call-overload]


@contextlib.contextmanager
def server(where: str, options: str = "") -> Iterator[Server]:
    """A server of one's own, made by the programs in the folder `where`, until this is left."""
    # short, as the name of a socket must be, and not below a folder that only root may enter
    with tempfile.TemporaryDirectory(prefix="pg") as home:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
        found = Server(where, home, options)
        found.run("initdb", "--auth=trust", f"--username={ADMINISTRATOR}", "--encoding=UTF8", "--locale=C", "--no-sync")
        found.start()
        try:
            yield found
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):  # it may have been killed, and not started again
                found.stop()


def receipts_database(server: Server, name: str, owner: str = "owner", service: str = "service") -> tuple[str, str]:
    """An empty database with the tables of receipts: its URL for the service, and for the owner of the tables."""
    from serving.receipts.postgresql_owner import prepare

    for role in (owner, service):
        if not server.does(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
            server.does(f"CREATE ROLE {role} LOGIN")
    server.does(f"CREATE DATABASE {name} OWNER {owner}")
    prepare(server.url(name, owner), service)
    return server.url(name, service), server.url(name, owner)


def _alive(pid: int) -> bool:
    return _stat(pid)[:1] not in ([], ["Z"])


def _stat(pid: int) -> list[str]:
    """State, parent and more of a process; nothing where there is none (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
