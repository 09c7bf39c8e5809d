"""All pages of the service, as routes that go behind the door with the others."""

from __future__ import annotations

from starlette.routing import Route

from serving.pages import (
    assets,
    attributions,
    export,
    finding,
    home,
    noted,
    patient_answer,
    patient_form,
    receipt,
    response,
    verification,
)
from serving.pages.reader import Reader
from serving.scoring import Scoring


def pages(reader: Reader, scoring: Scoring) -> list[Route]:
    """What a browser may ask for; each has its row in `serving.access.permissions`."""
    rooms = (patient_answer, finding, noted, receipt, verification, attributions, response, export)
    own = (one for room in rooms for one in room.routes(reader))
    return [*assets.routes(), *home.routes(), *patient_form.routes(reader, scoring), *own]
