"""Failed attempts to sign in: whoever fails again and again waits longer and longer, and what strangers do fills no receipts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from serving.access.door import Unproved

FREE = 3  # failures after which one has to wait
LONGEST_SECONDS = 300.0
FORGOTTEN_SECONDS = 3600.0  # after which an address begins anew
REMEMBERED = 4096  # addresses; those that failed longest ago are forgotten first
NOTED = 10  # failures that are noted in a period, by one process; of the others their number
PERIOD_SECONDS = 600.0


class NotBegun(Unproved):
    """What came answers nothing that this browser began: any page can make it come so, and nobody has to wait for that."""


@dataclass
class Attempts:
    """The failures of this process, by the address they came from."""

    now: Callable[[], float] = time.monotonic
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)  # how many, and when the last one was
    _noted: list[float] = field(default_factory=list)
    _unnoted: int = 0

    def wait(self, address: str) -> float:
        """Seconds until this address may try again: twice as many with each failure, five minutes at most."""
        many, last = self._failures.get(address, (0, 0.0))
        if many < FREE:
            return 0.0
        return max(0.0, last + min(LONGEST_SECONDS, 2.0 ** min(many - FREE, 10)) - self.now())

    def failed(self, address: str) -> int | None:
        """Counts a failure. How many were not noted before this one; None where this one is not to be noted either."""
        now = self.now()
        many, last = self._failures.pop(address, (0, now))
        self._failures[address] = (1 if now - last > FORGOTTEN_SECONDS else many + 1, now)
        if len(self._failures) > REMEMBERED:
            del self._failures[next(iter(self._failures))]
        return self.noting()

    def succeeded(self, address: str) -> None:
        """Somebody signed in from there."""
        self._failures.pop(address, None)

    def noting(self) -> int | None:
        """Whether what failed is to be noted, as `failed` tells it."""
        now = self.now()
        self._noted = [one for one in self._noted if now - one < PERIOD_SECONDS]
        if len(self._noted) >= NOTED:
            self._unnoted += 1
            return None
        self._noted.append(now)
        before, self._unnoted = self._unnoted, 0
        return before
