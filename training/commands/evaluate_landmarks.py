"""A saved model for landmarks on other cohorts, as `evaluate` asks for it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.refused import NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.artifact import Artifact
    from training.study.landmarks import Landmarks

_OF_THE_INDEX_DATE = "a model for landmarks is judged, and not yet kept for a site or held against the cohort it came from"


def require_no_more(site: str, against: Path | None) -> None:
    """Raises NotSupported for what is made for models of the index date alone."""
    asked = [option for option, given in (("--site", site), ("--against", against)) if given]
    if asked:
        raise NotSupported(f"{', '.join(asked)}: {_OF_THE_INDEX_DATE}")


def declared_by(model: str, tracking_uri: str) -> Landmarks:
    """The landmarks of the study from which the saved model came."""
    from training.commands.given import folder_of
    from training.landmarks.elsewhere import declared_in

    with folder_of(model, tracking_uri) as folder:
        return declared_in(folder)


def at_landmarks(
    artifact: Artifact,
    asked: Landmarks,
    cohorts: list[Path],
    looks: Callable[[str, str], int | None],
    *,
    releases: Path,
    report: Path | None,
    **how: Any,
) -> tuple[dict[str, Any], str]:
    """What is found, as JSON and in words; `looks` keeps that a cohort (digest, name) was looked at, `how` goes to the judge."""
    from training.gate.looks import look_line
    from training.landmarks.elsewhere import judge_elsewhere
    from training.landmarks.told_elsewhere import elsewhere_page, elsewhere_text
    from training.progress import Bars

    with Bars() as bars:
        judged = [judge_elsewhere(artifact, asked, path, advance=bars, **how) for path in cohorts]
    found = [one | {"look": looks(one["cohort_digest"], one["cohort"])} for one in judged]
    if report is not None:
        report.write_text(elsewhere_page(found), encoding="utf-8")
    line = partial(look_line, releases=releases)
    text = "\n\n".join(f"{elsewhere_text(one)}\n{line(one['look'])}" for one in found)
    return (found[0] if len(found) == 1 else {"cohorts": found}), text
