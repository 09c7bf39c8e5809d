"""How the model responds to counts that move together: for those who examine the model, and for no patient.

It stands apart from the page of a patient on purpose: a curve beside a patient reads as a promise of what would happen.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.response import COUNTS, responses
from models.response import Response as Curve
from models.risk import RiskModel
from serving.access.door import route
from serving.pages.drawing import Scale, Tick
from serving.pages.layout import Layout, rendered
from serving.pages.patient_drawing import path
from serving.pages.reader import Reader
from serving.pages.rounded import measured

PATH = "/audit/response"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 620, 320, 52, 92, 12, 40
DAY = 90
_DASHES = ("line", "line dashed", "line dotted")


@dataclass(frozen=True)
class Line:
    """One curve: its path, how it is drawn, where its name stands, and the neutrophils it belongs to (10*9/L)."""

    d: str
    look: str
    x: float
    y: float
    anc: float


@dataclass(frozen=True)
class Figure:
    """The risk against the lymphocyte count."""

    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    foot: float = HEIGHT - FOOT


def routes(reader: Reader) -> list[Route]:
    """The one page of it."""
    return [route("GET", PATH, partial(_page, reader))]


async def _page(reader: Reader, request: Request) -> Response:
    """The curves of the model that answers now, at one horizon."""
    layout: Layout = request.app.state.layout
    model = layout.current.artifact.model
    day = _asked(request.query_params.get("horizon", ""), model.days)
    curves = await asyncio.get_running_loop().run_in_executor(None, responses, model)
    await reader.note(request, "viewed the model's response")
    return rendered(
        request,
        "response.html",
        day=day,
        days=model.days,
        curves=curves,
        figure=figure(model, curves, day) if curves else None,
        rows=table(model, curves, day),
    )


def _asked(given: str, days: Sequence[int]) -> int:
    """The horizon that is asked for, where the model serves it; else the one nearest to 90 days."""
    return int(given) if given in map(str, days) else min(days, key=lambda day: abs(day - DAY))


def figure(model: RiskModel, curves: Sequence[Curve], day: int) -> Figure:
    """The curves at one horizon; the lymphocyte count runs over a logarithmic scale."""
    column = model.days.index(day)
    drawn = [one for one in curves if len(one.alc)]
    ends = [math.log(value) for one in drawn for value in (one.alc[0], one.alc[-1])]
    across, most = Scale(min(ends), max(ends), LEFT, WIDTH - RIGHT), max(float(one.risk[:, column].max()) for one in drawn)
    share = Scale(0.0, max(most, 0.05) * 1.05, HEIGHT - FOOT, TOP)
    lines = []
    for place, one in enumerate(drawn):
        points = [(across.at(math.log(alc)), share.at(risk)) for alc, risk in zip(one.alc, one.risk[:, column], strict=True)]
        lines.append(Line(path(points), _DASHES[place % 3], points[-1][0] + 5, points[-1][1] + 4, one.anc))
    ticks = tuple(Tick(across.at(math.log(one)), f"{one:g}") for one in COUNTS if min(ends) <= math.log(one) <= max(ends))
    return Figure(tuple(_apart(lines)), ticks, tuple(Tick(share.at(one), f"{100 * one:.0f} %") for one in share.ticks()))


def _apart(lines: Sequence[Line]) -> list[Line]:
    """The same with names that do not stand on one another."""
    found: list[Line] = []
    for one in sorted(lines, key=lambda line: line.y):
        y = max(one.y, found[-1].y + 15) if found else one.y
        found.append(Line(one.d, one.look, one.x, y, one.anc))
    return found


def table(model: RiskModel, curves: Sequence[Curve], day: int) -> list[tuple[str, list[float | None]]]:
    """Rows of lymphocyte counts with the risk at each neutrophil count; None where no development patient was like that."""
    column = model.days.index(day)
    return [(measured(alc), [_at(one, alc, column) for one in curves]) for alc in COUNTS]


def _at(curve: Curve, alc: float, column: int) -> float | None:
    """The risk at that count, if it is one of the points."""
    found = [risk for count, risk in zip(curve.alc, curve.risk[:, column], strict=True) if math.isclose(count, alc)]
    return float(found[0]) if found else None
