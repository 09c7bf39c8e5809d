"""The clinician's and the operator's commands: score a file of patients, serve a model over HTTP; with the auditor's below.

Nothing heavy is imported here, and nothing that trains anywhere on the way: a patient is scored within a second of the command.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.attributions import attributions
from serving.commands.backup import backup
from serving.commands.erase import erase
from serving.commands.export import export
from serving.commands.keys import add, list_keys, revoke
from serving.commands.migrate import migrate
from serving.commands.model_options import MODEL, RECEIPTS, Digest, Releases, SealKey, Site, TrackingUri, Witness
from serving.commands.options import Database, Heads, ReceiptsKey
from serving.commands.replay import replay
from serving.commands.serve import serve
from serving.commands.show import show
from serving.commands.verify import verify
from serving.keeping import Keeping, opened_receipts
from serving.loading import REFUSED, RELEASES, Where, at_site, found_model, refuse

if TYPE_CHECKING:
    from models.artifact import Artifact
    from serving.batch import Scored
    from serving.score_files import Recording

NAMED = 20  # refused patients named on standard error; the file names them all

_PATIENTS = "A cohort file (TOML), or one patient a line (NDJSON)."
_OUT = "CSV; whole answers where it ends in .ndjson or .jsonl; or .parquet."
_DATA = "Folder of the cohort's tables, if not beside its file."
_LANDMARK = "Days after the index date on which the patients of a cohort file are scored, by a model for landmarks."
Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL)]
Patients = Annotated[Path, typer.Argument(metavar="PATIENTS", help=_PATIENTS, exists=True, dir_okay=False)]
Out = Annotated[Path, typer.Option("--out", help=_OUT, dir_okay=False)]
Data = Annotated[Path | None, typer.Option("--data", help=_DATA, file_okay=False)]
Landmark = Annotated[int | None, typer.Option("--landmark", metavar="DAY", help=_LANDMARK, min=0)]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON on standard output.")]
MaybeReceipts = Annotated[Path | None, typer.Option("--receipts", help=f"{RECEIPTS} Without it none are kept.", file_okay=False)]


def mount(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (score, serve):
        app.command()(command)
    audit = typer.Typer(no_args_is_help=True, help="The receipts of scores: verify, replay, show, export.")
    audit.command("verify")(verify)
    audit.command("replay")(replay)
    audit.command("show")(show)
    audit.command("export")(export)
    audit.command("attributions")(attributions)
    audit.command("erase")(erase)
    audit.command("backup")(backup)
    audit.command("migrate")(migrate)
    app.add_typer(audit, name="audit")
    keys = typer.Typer(no_args_is_help=True, help="API keys: who may ask the service in whose name.")
    keys.command("add")(add)
    keys.command("list")(list_keys)
    keys.command("revoke")(revoke)
    app.add_typer(keys, name="keys")


def score(
    model: Model,
    patients: Patients,
    out: Out,
    data: Data = None,
    landmark: Landmark = None,
    digest: Digest = None,
    site: Site = "",
    tracking_uri: TrackingUri = None,
    releases: Releases = RELEASES,
    seal_key: SealKey = None,
    receipts: MaybeReceipts = None,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    database: Database = "",
    witness: Witness = None,
    as_json: AsJson = False,
) -> None:
    """Score patients: risks, terms and quality flags, one row a patient. A bad row is refused and the file goes on (exit 1)."""
    if out.resolve() == patients.resolve():
        raise typer.BadParameter("the scores would overwrite the patients", param_hint="--out")
    keeping = Keeping(receipts, receipts_key, heads, witness, database) if receipts else None
    where = Where(tracking_uri, releases, seal_key)
    with found_model(model, digest, where) as (artifact, folder):
        artifact = at_site(artifact, model, site, where)
        with _recording(keeping, artifact, folder, site) as recording:
            found = _scored(artifact, patients, out, data, site, recording, landmark)
    _report(artifact, found, as_json)
    if found.refused:
        raise typer.Exit(REFUSED)


@contextmanager
def _recording(keeping: Keeping | None, artifact: Artifact, folder: Path, site: str) -> Iterator[Recording | None]:
    if keeping is None:
        _say("no receipts are kept of these scores: --receipts DIR keeps them")
        yield None
        return
    with opened_receipts(keeping, artifact, folder, site, _say) as writer:
        from serving.caller import from_a_file
        from serving.recorded import Answering, FileReceipts

        yield lambda form: FileReceipts(writer, Answering(artifact, site, form), from_a_file())


def _scored(
    artifact: Artifact,
    patients: Path,
    out: Path,
    data: Path | None,
    site: str,
    recording: Recording | None,
    landmark: int | None,
) -> Scored:
    import csv

    from serving.batch import score_file
    from serving.receipts.record import NoReceipt

    try:
        today = datetime.now(UTC).date()
        day = None if landmark is None else float(landmark)
        return score_file(artifact, patients, out, data=data, site=site, recording=recording, today=today, landmark=day)
    except NoReceipt as error:
        refuse(f"{out} was not written: no receipt could be made durable ({error.reason}), and no score is shown without one")
    except (OSError, ValueError, ArithmeticError, csv.Error) as error:
        refuse(str(error))


def _say(words: str) -> None:
    typer.echo(words, err=True)


def _report(artifact: Artifact, found: Scored, as_json: bool) -> None:
    from serving.standing import example, opening, release

    summary = "; ".join([*opening(artifact.model), f"{found.scored} scored, {len(found.refused)} refused: {found.out}"])
    for one in found.refused[:NAMED]:
        typer.echo(f"{one.id or 'a patient without an id'}: {one}", err=True)
    if len(found.refused) > NAMED:
        typer.echo(f"and {len(found.refused) - NAMED} more, all of them in {found.out}", err=True)
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if not as_json:
        typer.echo(summary, err=True)
        return
    document = example(artifact.model) | {
        "scored": found.scored,
        "refused": [{"id": one.id, "why": one.why, "faults": [str(fault) for fault in one.faults]} for one in found.refused],
        "out": str(found.out),
        "model": {"name": artifact.model.name, "digest": artifact.digest} | release(artifact),
    }
    typer.echo(json.dumps(document, indent=2))
