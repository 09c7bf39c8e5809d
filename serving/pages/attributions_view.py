"""What was found about many receipts, as a page shows it: sections of words and tables, and figures beside two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.example import EXAMPLE
from serving.pages.attributions_figures import Bars, bars
from serving.pages.words import say
from serving.receipts.attributions.importance import ABSOLUTE_POINTS, Global
from serving.receipts.attributions.look import Look
from serving.receipts.attributions.resampling import Figure
from serving.receipts.attributions.telling import APART, GROUPS, moves, sections
from serving.receipts.attributions.telling_shift import BEYOND, SHIFT, WITHIN
from serving.receipts.telling import Section


@dataclass(frozen=True)
class View:
    """What was found, the sections in the order in which they are read, and figures by the name of their section."""

    look: Look
    opening: Section
    sections: tuple[Section, ...]
    figures: Mapping[str, Bars]
    verdicts: tuple[str, str] = (BEYOND, WITHIN)  # words among numbers; the first is said with weight

    @classmethod
    def of(cls, look: Look) -> View:
        """Of what was found."""
        first, *others = sections(look)
        return cls(look, first, tuple(others), _figures(look))

    @property
    def stopped(self) -> bool:
        """Whether not everything was read."""
        return any(one is not None and one.stopped for one in (self.look.read, self.look.against))

    @property
    def example(self) -> str:
        """What is said above answers of simulated patients."""
        return EXAMPLE if self.look.example else ""

    def caption(self, section: Section) -> str:
        """What stands above its table: of which days it is, so that it can be read alone."""
        asked = self.look.question
        if section.name == SHIFT:
            return say("attributions", "table_of_shift", title=section.title, period=asked.period, against=asked.against)
        return say("attributions", "table", title=section.title, days=asked.horizon, period=asked.period)


def _figures(look: Look) -> dict[str, Bars]:
    groups = [one.name for one in look.found.groups if moves(one)] if look.found else []
    if look.found is None or not groups:
        return {}
    found = {GROUPS: bars([(name, [("", _sizes(look.found)[name])]) for name in groups])}
    if look.parts:
        parts = [(part.label, _sizes(part.found)) for part in look.parts]
        found[APART] = bars([(name, [(label, sizes[name]) for label, sizes in parts]) for name in groups])
    return found


def _sizes(found: Global) -> dict[str, Figure]:
    return {one.name: one.figures[ABSOLUTE_POINTS] for one in found.groups}
