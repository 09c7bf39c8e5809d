"""Published scores in an answer: all of them in the JSON, with why some are missing; in words one line, of those there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from models.published import PUBLISHED, PublishedResult

# what is the same for every patient
_CONSTANT: Mapping[str, dict[str, object]] = {
    name: {
        "name": name,
        "label": score.label,
        "made_for": score.made_for,
        "higher_is_worse": score.higher_is_worse,
        "source": score.source,
    }
    for name, score in PUBLISHED.items()
}


def entry(name: str, found: PublishedResult) -> dict[str, object]:
    """JSON-ready: what is said of one score, whether or not it is available."""
    return _CONSTANT[name] | found._asdict()


def sentence(results: Mapping[str, PublishedResult]) -> Iterator[str]:
    """One sentence of the available scores, if there are any."""
    there = {name: found for name, found in results.items() if found.value is not None}
    if there:
        said = "; ".join(_words(name, found) for name, found in there.items())
        yield f"Published scores, for comparison and no part of the risk: {said}"


@lru_cache(maxsize=1024)
def _words(name: str, found: PublishedResult) -> str:
    """The value with its group and direction ("PNI 38 (higher is better)"); a mere yes or no has no other value."""
    score = PUBLISHED[name]
    if found.band in ("yes", "no"):
        return f"{score.label}: {found.band}"
    remarks = [found.band] if found.band else []
    if not score.higher_is_worse:
        remarks.append("higher is better")
    number = f"{found.value:.0f}" if score.whole else f"{found.value:,.4g}"
    return f"{score.label} {number}" + (f" ({', '.join(remarks)})" if remarks else "")
