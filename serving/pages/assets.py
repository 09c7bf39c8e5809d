"""Style, icon and scripts: served from the package, under a name that holds their digest, so that a browser may keep them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.access.door import route

PATH = "/static/{name}"
_FOLDER = Path(__file__).parent / "static"
_MEDIA = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_DIGITS = 16  # of the digest, in the name


@dataclass(frozen=True)
class Asset:
    """A file that never changes under its name."""

    content: bytes
    media: str


def url_of(file: str) -> str:
    """Where a browser finds the file of that name: /static/pages.0123456789abcdef.css."""
    return PATH.format(name=_names()[file])


def routes() -> list[Route]:
    """The one route of them all."""
    return [route("GET", PATH, _served)]


async def _served(request: Request) -> Response:
    found = _assets().get(request.path_params["name"])
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(found.content, headers=_FOR_EVER, media_type=found.media)


@cache
def _names() -> Mapping[str, str]:
    found = (path for path in sorted(_FOLDER.iterdir()) if path.suffix in _MEDIA)
    return {path.name: f"{path.stem}.{_digest(path)}{path.suffix}" for path in found}


@cache
def _assets() -> Mapping[str, Asset]:
    return {name: Asset((_FOLDER / file).read_bytes(), _MEDIA[Path(file).suffix]) for file, name in _names().items()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGITS]
