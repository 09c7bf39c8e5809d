"""What all pages have in common: who is signed in and where they may go, what is said above and below, and what a browser may do.

A page fetches nothing but its own style and scripts, holds neither itself (`serving.protection` forbids it), and is never stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from models.identity import Identity
from serving.access.permissions import ROUTES, may
from serving.access.sessions import IDLE_SECONDS
from serving.access.way_back import sign_in_from
from serving.current import Current
from serving.pages import assets
from serving.pages.patient_fields import called
from serving.pages.rounded import measured
from serving.pages.words import say, words
from serving.receipts.telling import percent, signed
from serving.receipts.text import right_aligned
from serving.standing import DISCLAIMER, opening

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

NAVIGATION = (  # path, and its word in words/en/layout.toml; shown to those who may go there
    ("/", "home"),
    ("/patient", "patient"),
    ("/audit", "find"),
    ("/audit/verification", "verification"),
    ("/audit/attributions", "attributions"),
    ("/audit/response", "response"),
    ("/audit/export", "export"),
    ("/audit/mine", "mine"),
)
CSRF = "csrf"  # under which a request carries the token that its forms must give back; set by whoever finds the session
SIGN_OUT = "/sign-out"
HEADERS = {"Cache-Control": "no-store"}  # what else protects an answer the server adds to all of them (serving.protection)


@dataclass(frozen=True)
class Layout:
    """What the pages of one service say of it: kept at `app.state.layout`."""

    current: Current
    site: str


@dataclass(frozen=True)
class Link:
    """A way to another page; `here` where it is this one, or one below it."""

    path: str
    label: str
    here: bool


def rendered(request: Request, template: str, status: int = 200, **what: object) -> Response:
    """The page of that template (`templates/`), which extends layout.html, as an answer to the request.

    In every template there are, besides `what`: `say` (words by page and name), `who` (Identity or None), `csrf`, `links`,
    `example`, `model`, `site`, `asset(file)`.
    """
    layout: Layout = request.app.state.layout
    who: Identity | None = getattr(request.state, "identity", None)
    model = layout.current.artifact
    common = {
        "who": who,
        "csrf": getattr(request.state, CSRF, ""),
        "links": _links(who, request.url.path),
        "example": " ".join(opening(model.model)),
        "model": model,
        "site": layout.site,
        "disclaimer": DISCLAIMER,
    }
    page = environment().get_template(template).render(common | what)
    return Response(page, status, HEADERS | _left_alone(request), "text/html")


def _left_alone(request: Request) -> dict[str, str]:
    """A page at which nobody acts any more leaves the screen when its session ends; scripts are not needed for it."""
    return {"Refresh": f"{round(IDLE_SECONDS) + 1}; url={sign_in_from(request)}"} if getattr(request.state, CSRF, "") else {}


def links(who: Identity | None) -> Sequence[str]:
    """The paths of the navigation to which the identity may go."""
    return [path for path, _ in NAVIGATION if who is not None and may(who, ROUTES["GET", path])]


@cache
def environment() -> Environment:
    """The templates; every text in them is escaped, and a name that is not there is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # not before the first page: scores do not wait for it

    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(say=words(), asset=assets.url_of, sign_out=SIGN_OUT)
    shown = {"moment": moment, "percent": percent, "signed": signed, "points": points, "digits": digits, "measured": measured}
    found.filters.update(shown, right_aligned=right_aligned, exactly=exactly, fill=fill, called=called)
    return found


def exactly(number: float, words: object) -> Markup:
    """A number as it is shown, with every digit it has behind it."""
    from markupsafe import Markup

    return Markup('<data value="{}">{}</data>').format(digits(number), words)


def fill(sentence: str, **parts: object) -> Markup:
    """A sentence of ours, filled in; what is put into it is escaped unless it is markup already."""
    from markupsafe import Markup, escape

    return Markup(escape(sentence)).format(**parts)


def moment(time: str) -> str:
    """A time as it is recorded (UTC), to the second: 2026-11-23 02:47:54."""
    return time[:19].replace("T", " ")


def points(number: float) -> str:
    """Percentage points with their sign; what rounds to nothing has none."""
    rounded = round(number, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"


def digits(number: float) -> str:
    """A number as JSON has it: read again, it is the same to the bit."""
    return repr(number)


def _links(who: Identity | None, path: str) -> list[Link]:
    open_to = links(who)
    nearest = max((one for one in open_to if path == one or path.startswith(f"{one.rstrip('/')}/")), key=len, default="")
    return [Link(one, say("layout", name), one == nearest) for one, name in NAVIGATION if one in open_to]
