"""The receipt that is asked for, for whoever may see it: auditors any, clinicians those of their own unit, and no other."""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from serving.access.door import who
from serving.access.ownership import may_see
from serving.pages.reader import Reader, number_in
from serving.receipts.audited import Audited, audited
from serving.receipts.finding import Asked

REFUSED_SECONDS = 0.05  # to open another unit's receipt takes some milliseconds, to find none takes none: both are told then


async def owned(reader: Reader, request: Request) -> Audited:
    """The receipt asked for, which whoever asks may see; 404 otherwise, whether it is not there or another unit's."""
    number, loop = number_in(request.path_params["sequence"]), asyncio.get_running_loop()
    told = loop.time() + REFUSED_SECONDS
    one = await reader.read(partial(_looked_up, reader, number))
    identity = who(request)
    if one is not None and may_see(identity, one.receipt):
        return one
    # both are noted, and answered as late: whoever hears sooner of the one than of the other would know which it was
    await reader.note(request, "looked for another unit's receipt" if one else "looked for no receipt", receipt=number)
    await asyncio.sleep(told - loop.time())
    raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such receipt")


def _looked_up(reader: Reader, number: int) -> Audited | None:
    archive = reader.archive
    if archive.store.record(number) is None:
        return None
    return next(audited(archive.store, archive.keys, Asked((str(number),))))
