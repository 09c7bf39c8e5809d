"""The model card as a page: the facts of card and evidence, in the order in which a careful reader asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from training.telling import sections_belief, sections_cohort, sections_comparison, sections_model, sections_performance
from training.telling.blocks import Block, Heading, Points, Words, interval, markdown
from training.telling.checklist import CHECKLISTS, NOT_AVAILABLE, checklist
from training.telling.evidence import COHORT, DIAGNOSIS, EVALUATION, LEARNER
from training.telling.pointers import Evidence

_SHOWN = 4  # facts of an item on the page; all are in card.json


def card_text(card: Mapping[str, Any], evidence: Evidence) -> str:
    """The page in Markdown; it begins with the words of a model of simulated patients where it is one."""
    example = [Words(card["example"])] if "example" in card else []
    blocks: list[Block] = [*example, Heading(f"Model card: {card['model']}", 1), *sections_model.what_it_is(evidence)]
    blocks += _sourced(sections_belief.belief(evidence), DIAGNOSIS if DIAGNOSIS in evidence else "")
    blocks += _sourced(sections_comparison.beats(evidence), EVALUATION)
    blocks += sections_model.use(evidence)
    blocks += _sourced([*sections_cohort.cohort(evidence), *sections_cohort.who(evidence)], COHORT)
    blocks += _sourced(sections_cohort.follow_up(evidence), COHORT)
    blocks += _sourced([*sections_performance.performance(evidence), *sections_cohort.naive(evidence)], EVALUATION)
    blocks += _sourced(sections_model.learner(evidence), LEARNER)
    blocks += _sourced([*sections_model.features(evidence), *sections_model.missing_values(evidence)], LEARNER)
    blocks += sections_model.limits(evidence)
    return markdown([*blocks, *_checklists(card)])


def _sourced(blocks: Iterable[Block], name: str) -> list[Block]:
    """A section that ends with the file its numbers stand in."""
    return [*blocks, Words(f"Source: `{name}`.", "quiet")] if name else list(blocks)


def _checklists(card: Mapping[str, Any]) -> Iterator[Block]:
    for name in CHECKLISTS:
        asked = checklist(name)
        yield Heading(asked.name)
        yield Words(f"After {asked.reference}. Prose is marked as such; every other answer names its source.")
        yield Points(tuple(f"**{item['title']}** ({key}): {_answer(item)}" for key, item in card[name].items()))


def _answer(item: Mapping[str, Any]) -> str:
    if NOT_AVAILABLE in item:
        return f"{NOT_AVAILABLE}: {item[NOT_AVAILABLE]}"
    told = [f"{one['prose']} (prose, by {one['by']})" for one in item["says"]]
    told += [f"{one['label']}: {written(one['value'])} (`{one['source']}`)" for one in item["facts"][:_SHOWN]]
    more = len(item["facts"]) - _SHOWN
    return "; ".join(told) + (f"; and {more} more in card.json" if more > 0 else "")


def written(value: Any) -> str:
    """A fact as a reader wants it."""
    if isinstance(value, Mapping):
        return interval(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
