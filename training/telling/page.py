"""The report of a run: one self-contained HTML page, written from the documents of evidence and the pictures alone.

It loads nothing from anywhere, needs no script, prints, and says first whether the model may be believed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from training.telling import sections_belief, sections_cohort, sections_comparison, sections_model, sections_performance
from training.telling.blocks import Block, Heading, Picture, Words, table
from training.telling.card import card_facts
from training.telling.checklist import CHECKLISTS, checklist
from training.telling.evidence import COHORT, LEARNER
from training.telling.pointers import Evidence
from training.telling.sections_performance import slug

Provenance = Mapping[str, Any]

_ENVIRONMENT = Environment(
    loader=PackageLoader("training.telling"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_BRACKETED = re.compile(r"\([^()]{1,24}\)")


def _unbroken(text: str) -> str:
    """A cell whose intervals stay on one line."""
    return _BRACKETED.sub(lambda found: found.group().replace(" ", "\N{NO-BREAK SPACE}"), text)


_ENVIRONMENT.filters["unbroken"] = _unbroken


@dataclass(frozen=True)
class Section:
    """A part of the page: its heading, the anchor that leads to it, and what it says."""

    title: str
    anchor: str
    blocks: tuple[Block, ...]


def report_path(folder: Path) -> Path:
    """Where the report of an artifact folder lies: beside it."""
    return folder.with_name(folder.name + "-report.html")


def write_report(folder: Path, evidence: Evidence, pictures: Sequence[Path], digest: str, provenance: Provenance) -> Path:
    """Write the report of the artifact in `folder` beside it; `digest` and `provenance` are those of its manifest."""
    drawn = {path.stem: path.read_bytes() for path in pictures}
    path = report_path(folder)
    path.write_text(report_html(evidence, drawn, digest=digest, provenance=provenance), encoding="utf-8")
    return path


def report_html(
    evidence: Evidence, pictures: Mapping[str, bytes], *, digest: str = "", provenance: Provenance | None = None
) -> str:
    """The page; `pictures` are PNG by name, and one that is not there leaves its table to speak for it."""
    learner, told = evidence[LEARNER], _told(evidence, digest, provenance or {})
    opening, example = sections_model.what_it_is(evidence), learner.get("example", "")
    return page_html("report of a training run", learner["model"], opening, told, pictures, example=example)


def page_html(
    kind: str,
    name: str,
    opening: Sequence[Block],
    told: Iterable[Sequence[Block]],
    pictures: Mapping[str, bytes],
    *,
    example: str,
) -> str:
    """A page of sections, each of which begins with its heading; `example` is said first, and at every place of the page."""
    return _ENVIRONMENT.get_template("report.html").render(
        kind_of_page=kind,
        name=name,
        example=example,
        opening=opening,
        sections=[_section(blocks, pictures) for blocks in told],
        source={stem: _inline(content) for stem, content in pictures.items()},
        kind=lambda block: type(block).__name__,
    )


def _told(evidence: Evidence, digest: str, provenance: Provenance) -> Iterable[Sequence[Block]]:
    """Every section in the order in which a careful reader asks."""
    names = {name: checklist(name).name for name in CHECKLISTS}
    return (
        sections_belief.belief(evidence),
        sections_comparison.beats(evidence),
        sections_performance.performance(evidence),
        sections_performance.calibration(evidence),
        sections_performance.decisions(evidence),
        sections_comparison.strata(evidence),
        sections_comparison.comparators(evidence),
        sections_comparison.splits(evidence),
        sections_comparison.test(evidence),
        sections_comparison.study(evidence),
        sections_model.learner(evidence),
        [*sections_model.attribution(evidence), *_below(sections_model.features(evidence))],
        sections_cohort.cohort(evidence),
        [*sections_cohort.who(evidence), *_below(sections_model.missing_values(evidence))],
        [*sections_cohort.follow_up(evidence), *sections_cohort.naive(evidence)],
        [*sections_model.use(evidence), *_below(sections_model.limits(evidence))],
        sections_belief.answered(card_facts(evidence), names),
        _provenance(evidence, digest, provenance),
    )


def _below(blocks: Sequence[Block]) -> list[Block]:
    """The blocks of a section as part of another: their heading one level lower."""
    return [Heading(block.text, 3) if isinstance(block, Heading) else block for block in blocks]


def _provenance(evidence: Evidence, digest: str, provenance: Provenance) -> list[Block]:
    """By which digests model, cohort and documents are known, and what code and settings made them."""
    known = [("model", digest), ("cohort", evidence[COHORT]["digest"])]
    known += list(card_facts(evidence)["evidence"].items())
    made = [(name, _written(provenance[name])) for name in ("code", "libraries", "settings") if name in provenance]
    return [
        Heading("Where it comes from"),
        Words("This page is written from the documents below and from nothing else; a changed document has another digest."),
        *table("Digests (SHA-256)", ("of", "digest"), (one for one in known if one[1])),
        *table("Made by", ("what", ""), made),
    ]


def _written(value: Any) -> str:
    return ", ".join(f"{name} {each}" for name, each in value.items()) if isinstance(value, Mapping) else str(value)


def _section(blocks: Sequence[Block], pictures: Mapping[str, bytes]) -> Section | None:
    """A section from its heading and what follows; pictures that were not drawn stay out."""
    if not blocks:
        return None
    heading, *rest = blocks
    title = heading.text if isinstance(heading, Heading) else ""
    kept = tuple(block for block in rest if not isinstance(block, Picture) or block.name in pictures)
    return Section(title, slug("".join(each for each in title.lower() if each.isalnum() or each == " ")), kept)


def _inline(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()
