"""No receipt is lost or altered when one of two services is killed, or the PostgreSQL in which both keep them, while clients ask.

The service that lives goes on; both find their way back to a server that comes back, and nobody starts them again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from child import BACK_SECONDS, Child, Clients, Told
from held import Held, held
from marks import Mark
from postgres import Server, programs, receipts_database, server

KILLS, SERVER_KILLS = 20, 10
_LOAD = (0.05, 1.0)  # seconds after which something is killed while clients ask
_GONE = (0.1, 0.6)  # seconds for which a server is gone


@dataclass
class Killed:
    """What came of it."""

    told: list[Told] = field(default_factory=list)
    back: list[float] = field(default_factory=list)  # seconds until a killed service scored again
    regained: list[float] = field(default_factory=list)  # seconds until both did, once the server was started again
    held: list[Held] = field(default_factory=list)
    died: int = 0  # services that ended with the server

    @property
    def acknowledged(self) -> int:
        return sum(one.status == 200 for one in self.told)

    @property
    def faults(self) -> list[str]:
        return [fault for one in self.held for fault in one.faults]


def kills(
    folder: Path, services: int, servers: int, seed: int, advance: Callable[..., object] = lambda *_: None
) -> Killed:
    """Kill one of two services so many times, and the server so many times; after each, look at what was given out."""
    rng, found = random.Random(seed), Killed()
    with server(programs() or "") as postgres:
        url, _ = receipts_database(postgres, "kills")
        children = [Child(folder, options=("--database", url)) for _ in range(2)]
        with ExitStack() as until_the_end:
            for child in children:
                until_the_end.enter_context(child)
            for kill in range(services + servers):
                if kill < services:
                    _kill_service(children, rng, found)
                else:
                    _kill_server(children, postgres, kill % 2 == 0, rng, found)
                whole = kill + 1 == services + servers  # of every kill what was given out since the one before; of all at the end
                told = found.told if whole else found.told[-2000:]
                kept = (one for one in told if one.status == 200)
                found.held.append(held(children[0].receipts, children[0].keys, kept, database=url))
                advance("kills", kill + 1, services + servers)
    return found


def _kill_service(children: Sequence[Child], rng: random.Random, found: Killed) -> None:
    victim = rng.choice(children)
    with _asking(children, found):
        time.sleep(rng.uniform(*_LOAD))
        victim.kill()
        time.sleep(rng.uniform(*_LOAD))
    began = time.monotonic()
    victim.begin()
    victim.back()
    found.back.append(time.monotonic() - began)


def _kill_server(children: Sequence[Child], postgres: Server, by_signal: bool, rng: random.Random, found: Killed) -> None:
    with _asking(children, found):
        time.sleep(rng.uniform(*_LOAD))
        postgres.kill() if by_signal else postgres.stop()
        time.sleep(rng.uniform(*_GONE))
        began = time.monotonic()
        postgres.start()
    for child in children:
        if child.alive:
            child.back()
        found.died += not child.alive
    found.regained.append(time.monotonic() - began)


@contextmanager
def _asking(children: Sequence[Child], found: Killed) -> Iterator[None]:
    with ExitStack() as asking:
        both = [asking.enter_context(Clients(child.port, 2, f"{len(found.held)}-{at}")) for at, child in enumerate(children)]
        yield
    found.told += [one for clients in both for one in clients.told]


def sit(
    folder: Path, advance: Callable[..., object], services: int = KILLS, servers: int = SERVER_KILLS, seed: int = 11
) -> list[Mark]:
    """The bars of the issue."""
    found = kills(folder, services, servers, seed, advance)
    return [
        Mark("kills of a service under load", len(found.back), least=services, note=f"{found.acknowledged:,} acknowledged"),
        Mark("kills of the server under load", len(found.regained), least=servers),
        Mark("acknowledged receipts lost", max(one.lost for one in found.held), most=0),
        Mark("acknowledged receipts altered", max(one.altered for one in found.held), most=0),
        Mark("faults that verify found", len(found.faults), most=0, note="; ".join(found.faults[:2])),
        Mark("answers of another kind", sum(not one.as_agreed for one in found.told), most=0),
        Mark("services that ended with the server", found.died, most=0),
        Mark("longest until a killed service scored again, s", max(found.back), most=BACK_SECONDS),
        Mark("longest until both scored after the server began again, s", max(found.regained), most=BACK_SECONDS),
    ]
