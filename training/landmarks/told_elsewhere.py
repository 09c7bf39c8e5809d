"""What is told of a model for landmarks on other cohorts: at the terminal and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.example import EXAMPLE
from training.diagnosis.learned_from import NO_EVIDENCE
from training.landmarks.told import how_good, judged_lines, pictures, who_was_seen
from training.small_cells import masked_sentence
from training.telling.blocks import Block, Heading, Words
from training.telling.page import page_html

Found = Mapping[str, Any]
_AS_IT_IS = (
    "The risks are those of the saved model as it is: nothing was fitted to these patients. Beside it stands what the same model "
    "said on the index date, used again. Intervals are of 95 %, from a bootstrap by patient."
)


def elsewhere_text(found: Found) -> str:
    """One cohort for a reader of a terminal."""
    lines = [EXAMPLE] if "example" in found else []
    lines += ["", f"{found['cohort']}: {found['patients']} patients, {found['rows']} rows at {len(found['at'])} landmarks"]
    lines += [NO_EVIDENCE] if found["learned_from_this_cohort"] else []
    lines += judged_lines(found)
    short = ((one["day"], *each) for one in found["judged"] for each in one["refused"].items())
    lines += [f" day {day:g}, {horizon} d: refused: {masked_sentence(why)}" for day, horizon, why in short]
    return "\n".join(lines)


def elsewhere_page(cohorts: Sequence[Found]) -> str:
    """One self-contained HTML page, cohort after cohort; small groups are hidden."""
    example = EXAMPLE if any("example" in one for one in cohorts) else ""
    opening = [Words(f"The saved model, digest {cohorts[0]['digest']}."), Words(_AS_IT_IS)]
    sections, drawn = list[list[Block]](), dict[str, bytes]()
    for place, found in enumerate(cohorts):
        prefix = f"{place}-"
        opening += [Words(f"{found['cohort']}: {NO_EVIDENCE}", "warning")] if found["learned_from_this_cohort"] else []
        sections += [_of(found, blocks) for blocks in (who_was_seen(found), how_good(found, prefix))]
        drawn |= pictures(found, example, prefix)
    name = str(cohorts[0]["model"])
    return page_html("a model for landmarks on other cohorts", name, opening, sections, drawn, example=example)


def _of(found: Found, blocks: Sequence[Block]) -> list[Block]:
    """The blocks of one cohort, its name in their heading."""
    return [replace(one, text=f"{found['cohort']}: {one.text}") if isinstance(one, Heading) else one for one in blocks]
