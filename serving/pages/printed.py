"""The printable page of a receipt, the same as on the command line, in a browser."""

from __future__ import annotations

from starlette.responses import Response

from serving.pages.assets import url_of
from serving.pages.layout import HEADERS
from serving.receipts.audited import Audited
from serving.receipts.page import page
from serving.receipts.telling import is_example, title


def printed(one: Audited) -> Response:
    """One sheet or a few; its style comes from the service, since a browser is told to take none that stands in a page."""
    served = {"style": url_of("receipt.css"), "icon": url_of("icon.svg")}
    made = page(title(one.receipt), (), [one.sections()], is_example(one.receipt), **served)
    return Response(made, headers=HEADERS, media_type="text/html")
