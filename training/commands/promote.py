"""A trained model reaches patients, if every criterion of the gate holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from training.commands.answering import answer, refusing
from training.commands.given import cohort_of, folder_of
from training.commands.options import (
    DEFAULT_ACCESS,
    DEFAULT_NAME,
    DEFAULT_RELEASES,
    DEFAULT_TRACKING,
    Accept,
    Access,
    AccessKey,
    ApprovedByKey,
    AsJson,
    Bootstrap,
    ByKey,
    Data,
    Reason,
    RegisteredName,
    Releases,
    SealKey,
    Seed,
    TrackingUri,
)

if TYPE_CHECKING:
    from training.gate.gate import Judged

_VERSION = "An artifact folder, a version number of the registered model, or an MLflow URI."
_TEST = "A cohort file of patients of whom neither this model nor the champion learned."
_DEVELOPMENT = "The cohort file the model learned from (again for a second one): its patients are looked for in --test."
_LOOKS = "Who looks, where nothing is promoted (--dry-run); a claim, kept in the ledger."
Looks = Annotated[str, typer.Option("--by", metavar="NAME", help=_LOOKS)]
_DRY = "Judge every criterion and promote nothing; a look at the test cohort is counted all the same."
CohortFile = Annotated[Path | None, typer.Option("--test", metavar="COHORT", help=_TEST, exists=True, dir_okay=False)]
_Learned = typer.Option("--development", metavar="COHORT", help=_DEVELOPMENT, exists=True, dir_okay=False)
Learned = Annotated[list[Path] | None, _Learned]


def promote_command(pyfunc: Path) -> Callable[..., None]:
    """The verb `promote`; `pyfunc` is the models-from-code file by which MLflow scores."""

    def promote(
        version: Annotated[str, typer.Argument(metavar="VERSION", help=_VERSION)],
        reason: Reason,
        by_key: ByKey = None,
        approved_by_key: ApprovedByKey = None,
        access: Access = DEFAULT_ACCESS,
        access_key: AccessKey = None,
        by: Looks = "",
        test: CohortFile = None,
        development: Learned = None,
        data: Data = None,
        accept: Accept = "",
        releases: Releases = DEFAULT_RELEASES,
        seal_key: SealKey = None,
        tracking_uri: TrackingUri = DEFAULT_TRACKING,
        registered_name: RegisteredName = DEFAULT_NAME,
        bootstrap: Bootstrap = 200,
        seed: Seed = 1,
        dry_run: Annotated[bool, typer.Option("--dry-run", help=_DRY)] = False,
        as_json: AsJson = False,
    ) -> None:
        """Bring a model to patients: two people prove who they are, all criteria are judged and told, the ledger keeps it all."""
        with refusing(as_json):
            from training.gate.gate import Candidate, judge_candidate
            from training.gate.held_out import HeldOut
            from training.gate.looks import look_if_counted, look_line
            from training.gate.paths import every_path
            from training.gate.promote import NotPromoted
            from training.gate.promote import promote as promote_candidate
            from training.gate.proved import proved_claim
            from training.gate.store import champion_there, opened
            from training.progress import Bars
            from training.tracking.champion import Registry

            registry = Registry(tracking_uri, registered_name)
            claim = None if dry_run else proved_claim(by_key, approved_by_key, reason, access, access_key)
            named = f"models:/{registered_name}/{version}" if version.isdecimal() else version
            with folder_of(named, tracking_uri) as folder, Bars() as bars:
                candidate = Candidate.read(folder)
                given = None
                if test is not None:
                    learned = tuple(cohort_of(path, data, accept) for path in development or ())
                    read = cohort_of(test, data, accept, candidate.artifact.model.required)
                    given = HeldOut(read, learned, bootstrap, seed)
                scorers = every_path(pyfunc)
                if claim is None:
                    champion = champion_there(releases, seal_key, registry)
                    judged = judge_candidate(candidate, champion, given, scorers, bars)
                    if given is not None:
                        seen = (candidate.artifact.digest, given.test.digest, given.test.name, by, "promote --dry-run")
                        typer.echo(look_line(look_if_counted(releases, *seen, seal_key=seal_key), releases), err=True)
                    _tell(judged, as_json)
                store = opened(releases, seal_key, registry, partial(typer.echo, err=True))
                known = version if version.isdecimal() else next(iter(registry.versions(candidate.artifact.digest)), "")
                try:
                    done = promote_candidate(candidate, known, claim, store, given, scorers, bars)
                except NotPromoted as refused:
                    typer.echo(str(refused), err=True)
                    _tell(refused.judged, as_json)
        answer(done.as_json(), done.text(), as_json)

    return promote


def _tell(judged: Judged, as_json: bool) -> NoReturn:
    """All criteria where nothing was promoted; exit code 1 where one does not hold."""
    answer(judged.as_json() | {"holds": not judged.fails}, judged.text(), as_json)
    raise typer.Exit(1 if judged.fails else 0)
