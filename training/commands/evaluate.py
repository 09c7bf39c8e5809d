"""A saved model on other cohorts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.example import EXAMPLE
from training.commands.answering import answer, refusing
from training.commands.given import artifact_with_simple_models, cohort_of
from training.commands.options import (
    DEFAULT_RELEASES,
    DEFAULT_TRACKING,
    Accept,
    Against,
    AsJson,
    Bootstrap,
    By,
    Data,
    Digest,
    ModelName,
    Releases,
    SealKey,
    Seed,
    TrackingUri,
)

if TYPE_CHECKING:
    from models.artifact import Artifact

_COHORTS = "Cohort files (TOML) beside their tables; several give one transport table."
CohortPaths = Annotated[list[Path], typer.Argument(metavar="COHORT...", help=_COHORTS, exists=True, dir_okay=False)]

NOBODY = "not named"
_REPORT = "A file for the evaluation as one self-contained HTML page."
Report = Annotated[Path | None, typer.Option("--report", help=_REPORT, dir_okay=False)]

_SITE = "The hospital these patients are of: the ledger then knows of it, and answers given there (serve --site) tell of it."
AtSite = Annotated[str, typer.Option("--site", metavar="NAME", help=_SITE)]


def evaluate(
    model: ModelName,
    cohorts: CohortPaths,
    data: Data = None,
    accept: Accept = "",
    bootstrap: Bootstrap = 200,
    seed: Seed = 1,
    digest: Digest = None,
    tracking_uri: TrackingUri = DEFAULT_TRACKING,
    report: Report = None,
    against: Against = None,
    releases: Releases = DEFAULT_RELEASES,
    seal_key: SealKey = None,
    by: By = NOBODY,
    site: AtSite = "",
    as_json: AsJson = False,
) -> None:
    """A saved model on other cohorts: as it is, beside simpler models, group by group, and after recalibration there."""
    with refusing(as_json):
        if site:
            _require_witnessed(by, bootstrap)
        from training.commands.evaluate_landmarks import at_landmarks, declared_by, require_no_more
        from training.diagnosed import judged_on
        from training.diagnosis.finding import diagnosis_text
        from training.gate.looks import look_if_counted, look_line
        from training.judge import judge
        from training.judgement import judgement_text, transport_lines
        from training.progress import Bars
        from training.transport import transport

        artifact, simple = artifact_with_simple_models(model, digest, tracking_uri)
        look = partial(look_if_counted, releases, artifact.digest, by=by, what="evaluate", seal_key=seal_key)
        if artifact.model.population.landmarks:
            require_no_more(site, against)
            asked, how = declared_by(model, tracking_uri), {"data": data, "accept": accept, "bootstrap": bootstrap, "seed": seed}
            answer(*at_landmarks(artifact, asked, cohorts, look, releases=releases, report=report, **how), as_json)
            return
        read = [cohort_of(path, data, accept, artifact.model.required) for path in cohorts]
        with Bars() as bars:
            found = [judge(artifact.model, one, simple=simple, bootstrap=bootstrap, seed=seed, advance=bars) for one in read]
        developed = None if against is None else cohort_of(against, data, "", doubtful=True)
        diagnoses = [judged_on(artifact, one, judged, developed) for one, judged in zip(read, found, strict=True)]
        looks = [look(one.digest, one.name) for one in read]
        told = zip(found, diagnoses, looks, strict=True)
        found = [{**one, "diagnosis": diagnosis.as_json(), "look": seen} for one, diagnosis, seen in told]
        if site:
            _keep(artifact, found, [one.digest for one in read], site=site, by=by, releases=releases, seal_key=seal_key)
        if report is not None:
            from training.telling.elsewhere import elsewhere_html

            filed = [{**one, "diagnosis": diagnosis.filed()} for one, diagnosis in zip(found, diagnoses, strict=True)]
            page = elsewhere_html(artifact.model.name, artifact.digest, filed, resamples=bootstrap)
            report.write_text(page, encoding="utf-8")
    heads = [f"{diagnosis_text(one)}\n\n{look_line(seen, releases)}" for one, seen in zip(diagnoses, looks, strict=True)]
    texts = [_text(head, judgement_text(artifact.model, one)) for head, one in zip(heads, found, strict=True)]
    if len(found) == 1:
        answer(found[0], texts[0], as_json)
        return
    table = transport(found)
    texts.append("\n".join(["transport", *transport_lines(table)]))
    answer({"transport": table, "cohorts": found}, "\n\n".join(texts), as_json)


def _require_witnessed(by: str, bootstrap: int) -> None:
    """What every answer at a hospital will rest on bears a name, and intervals that are more than luck."""
    from training.refused import NotSupported
    from training.statistics.estimates import LEAST_RESAMPLES

    if by == NOBODY:
        raise NotSupported("--site without --by: allowed is the name of whoever evaluates, which the ledger keeps")
    if bootstrap < LEAST_RESAMPLES:
        raise NotSupported(f"--site with --bootstrap {bootstrap}: allowed are {LEAST_RESAMPLES} resamples and more")


def _keep(artifact: Artifact, found: list[dict[str, Any]], digests: list[str], **where: Any) -> None:
    """Tell the ledger of the one cohort that was judged; of several it would not be known which is the site's."""
    from training.gate.at_site import record_at_site
    from training.refused import NotSupported

    if len(found) != 1:
        raise NotSupported(f"--site with {len(found)} cohorts: allowed is one, of that hospital's patients")
    say = partial(typer.echo, err=True)
    entry = record_at_site(where.pop("releases"), artifact, found[0], cohort_digest=digests[0], say=say, **where)
    typer.echo(f"kept as entry {entry.sequence} of the ledger: evaluated at {where['site']}", err=True)


def _text(diagnosis: str, judgement: str) -> str:
    """The judgement with the diagnosis at its head, below the line that says it is an example."""
    if not judgement.startswith(EXAMPLE):
        return f"{diagnosis}\n\n{judgement}"
    return f"{EXAMPLE}\n{diagnosis}\n\n{judgement.removeprefix(EXAMPLE).lstrip()}"
