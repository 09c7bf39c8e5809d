"""All pages of the service, as routes that go behind the door with the others."""

from __future__ import annotations

from starlette.routing import Route

from serving.pages import assets, attributions, export, finding, home, noted, receipt, verification
from serving.pages.reader import Reader


def pages(reader: Reader) -> list[Route]:
    """What a browser may ask for; each has its row in `serving.access.permissions`."""
    rooms = (finding, noted, receipt, verification, attributions, export)
    return [*assets.routes(), *home.routes(), *(one for room in rooms for one in room.routes(reader))]
