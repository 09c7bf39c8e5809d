"""How much is done at once, and for whom how often: what is too much is refused at once, and cheaply, with a time to come again.

Each worker counts for itself: of N workers a service takes N times as much, and a caller whose connections are spread over them
may ask N times as often.
"""

from __future__ import annotations

import math
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from models.identity import Identity

AT_ONCE = 128  # requests under way: twice the 64 connections of a busy hospital, so that those are never refused
BYTES_AT_ONCE = 4 * 2**20  # of their bodies: four of the largest, some 4,000 patients
MOST_AT_ONCE = 1000
RETRY_SECONDS = 1  # after which somebody who found no room may come again
REMEMBERED = 4096  # identities; those who have not asked for a while are forgotten first


@dataclass
class Room:
    """What is under way in this worker: counted when the request has arrived whole, given back when it was answered."""

    most: int = AT_ONCE
    most_bytes: int = BYTES_AT_ONCE
    under_way: int = 0
    bytes_under_way: int = 0

    @property
    def full(self) -> bool:
        """Whether nobody is let in."""
        return self.under_way >= self.most or self.bytes_under_way >= self.most_bytes

    def enter(self, size: int) -> bool:
        """Take the room of a request of `size` bytes; False where there is none. Into an empty room everybody fits."""
        if self.under_way >= self.most or (self.under_way and self.bytes_under_way + size > self.most_bytes):
            return False
        self.under_way += 1
        self.bytes_under_way += size
        return True

    def leave(self, size: int) -> None:
        """Give it back."""
        self.under_way -= 1
        self.bytes_under_way -= size


@dataclass(frozen=True)
class Rate:
    """How often one identity may ask: `per_second` in the long run, `burst` at once."""

    per_second: float
    burst: int

    def __post_init__(self) -> None:
        if not (0 < self.per_second < math.inf and self.burst >= 1):
            given = f"{self.per_second:g} requests per second, {self.burst} at once"
            raise ValueError(f"a limit of {given}: allowed are more than 0 per second and at least 1 at once")


@dataclass
class Rates:
    """A bucket of tokens for each identity, filled at the rate; who finds it empty waits for the next token."""

    rate: Rate
    now: Callable[[], float] = time.monotonic
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)  # name: tokens, and when they were counted

    def waiting(self, identity: Identity) -> float:
        """Seconds until this identity may ask again; 0, and a token is taken, where it may now."""
        now = self.now()
        tokens, counted = self._buckets.pop(identity.name, (float(self.rate.burst), now))
        tokens = min(float(self.rate.burst), tokens + (now - counted) * self.rate.per_second)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate.per_second
        self._buckets[identity.name] = (tokens - (not wait), now)
        if len(self._buckets) > REMEMBERED:
            del self._buckets[next(iter(self._buckets))]  # asked longest ago
        return wait


@dataclass(frozen=True)
class Limits:
    """What `[limits]` of access.toml may set, for each worker."""

    requests_per_second: float = 100.0
    burst: int = 200
    at_once: int = AT_ONCE

    def __post_init__(self) -> None:
        if not 1 <= self.at_once <= MOST_AT_ONCE:
            raise ValueError(f"at_once = {self.at_once}: allowed are 1 to {MOST_AT_ONCE} requests under way")
        _ = self.rate

    @property
    def rate(self) -> Rate:
        """How often one identity may ask."""
        return Rate(self.requests_per_second, self.burst)


def read_limits(path: Path) -> Limits:
    """The limits that access.toml sets in its table `[limits]`; what it does not set stands. ValueError for what is none."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Limits()
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
    given = document.get("limits", {})
    allowed = {"requests_per_second": (int, float), "burst": (int,), "at_once": (int,)}
    for name, value in given.items() if isinstance(given, dict) else [("[limits]", given)]:
        if type(value) not in allowed.get(name, ()):
            raise ValueError(f"{path}: limits.{name} = {value!r}: allowed are whole numbers for {', '.join(allowed)}")
    try:
        return Limits(**given)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
