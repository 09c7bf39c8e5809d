"""Answers that became ready in the same turn of the loop are recorded together: the writer is woken once, and so are they.

To wake a thread for each of them would cost more than to write them down; and what comes in while a group is on its way to the
disk is gathered for the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import islice

from serving.receipts.payload import Receipts
from serving.receipts.record import Draft, NoReceipt, Signed

PATIENCE = 5.0  # seconds that a receipt may take; what is not durable then is withdrawn, if its group has not begun
_Waiting = tuple[Sequence[Draft], asyncio.Future[list[Signed]]]


class Gathering:
    """Records what several requests ask for, on the loop of the service."""

    def __init__(self, receipts: Receipts):
        self.receipts = receipts
        self._waiting: list[_Waiting] = []
        self._under_way: set[asyncio.Task[list[Signed]]] = set()  # the loop itself holds them but weakly

    async def recorded(self, drafts: Sequence[Draft]) -> list[Signed]:
        """The durable receipts of the drafts, in order and all of one group; NoReceipt where they are not in time."""
        if not drafts:
            return []
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._submit)  # after everything that is ready to be answered now
        found: asyncio.Future[list[Signed]] = loop.create_future()
        self._waiting.append((drafts, found))
        return await found

    def _submit(self) -> None:
        waiting, self._waiting = self._waiting, []
        drafts = [draft for drafts, _ in waiting for draft in drafts]
        self._under_way.add(together := asyncio.get_running_loop().create_task(self._durable(drafts)))
        together.add_done_callback(self._under_way.discard)
        together.add_done_callback(partial(_tell, waiting))

    async def _durable(self, drafts: Sequence[Draft]) -> list[Signed]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.wrap_future(self.receipts.submit(drafts))
        except TimeoutError:
            raise NoReceipt(f"it was not durable within {PATIENCE:g} seconds") from None


def _tell(waiting: Sequence[_Waiting], together: asyncio.Task[list[Signed]]) -> None:
    """Whoever waits gets the receipts of his drafts, or the reason why nobody gets any."""
    error = None if together.cancelled() else together.exception()
    receipts = iter(() if together.cancelled() or error else together.result())
    for drafts, found in waiting:
        own = list(islice(receipts, len(drafts)))
        if found.done():
            continue  # nobody waits there any more
        if together.cancelled():
            found.cancel()
        elif error:
            found.set_exception(error)
        else:
            found.set_result(own)
