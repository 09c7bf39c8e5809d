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

from serving.commands.erase import erase
from serving.commands.export import export
from serving.commands.options import DEFAULT_RECEIPTS, Heads, ReceiptsKey
from serving.commands.replay import replay
from serving.commands.show import show
from serving.commands.verify import verify
from serving.hosts import is_loopback
from serving.keeping import Keeping, opened_receipts
from serving.loading import REFUSED, RELEASES, Where, at_site, found_model, refuse

if TYPE_CHECKING:
    from models.artifact import Artifact
    from serving.batch import Scored
    from serving.score_files import Recording

NAMED = 20  # refused patients named on standard error; the file names them all

_MODEL = "An artifact folder, a folder of releases (its champion) or an MLflow URI (models:/name@alias)."
_PATIENTS = "A cohort file (TOML), or one patient a line (NDJSON)."
_OUT = "CSV; whole answers where it ends in .ndjson or .jsonl; or .parquet."
_DATA = "Folder of the cohort's tables, if not beside its file."
Model = Annotated[str, typer.Argument(metavar="MODEL", help=_MODEL)]
ModelOption = Annotated[str, typer.Option("--model", metavar="MODEL", help=_MODEL)]
Patients = Annotated[Path, typer.Argument(metavar="PATIENTS", help=_PATIENTS, exists=True, dir_okay=False)]
Out = Annotated[Path, typer.Option("--out", help=_OUT, dir_okay=False)]
Data = Annotated[Path | None, typer.Option("--data", help=_DATA, file_okay=False)]
Digest = Annotated[str | None, typer.Option("--digest", help="Take only the model of this digest.")]
Site = Annotated[str, typer.Option("--site", help="The site this runs at, named in every answer.")]
TrackingUri = Annotated[str | None, typer.Option("--tracking-uri", help="The MLflow store of an MLflow URI.")]
Releases = Annotated[Path, typer.Option("--releases", help="The releases with their ledger: champion, and words on the site.")]
SealKey = Annotated[Path | None, typer.Option("--seal-key", help="File of the key with which the ledger was sealed.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON on standard output.")]
_RECEIPTS = "Folder of the receipts: every score is recorded there before it is shown."
Receipts = Annotated[Path, typer.Option("--receipts", help=_RECEIPTS, file_okay=False)]
MaybeReceipts = Annotated[Path | None, typer.Option("--receipts", help=f"{_RECEIPTS} Without it none are kept.", file_okay=False)]
Witness = Annotated[
    Path | None, typer.Option("--witness", help="A second file for the signed heads, on another volume.", dir_okay=False)
]


def mount(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (score, serve):
        app.command()(command)
    audit = typer.Typer(no_args_is_help=True, help="The receipts of scores: verify, replay, show, export.")
    audit.command("verify")(verify)
    audit.command("replay")(replay)
    audit.command("show")(show)
    audit.command("export")(export)
    audit.command("erase")(erase)
    app.add_typer(audit, name="audit")


def score(
    model: Model,
    patients: Patients,
    out: Out,
    data: Data = None,
    digest: Digest = None,
    site: Site = "",
    tracking_uri: TrackingUri = None,
    releases: Releases = RELEASES,
    seal_key: SealKey = None,
    receipts: MaybeReceipts = None,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    witness: Witness = None,
    as_json: AsJson = False,
) -> None:
    """Score patients: risks, terms and quality flags, one row a patient. A bad row is refused and the file goes on (exit 1)."""
    if out.resolve() == patients.resolve():
        raise typer.BadParameter("the scores would overwrite the patients", param_hint="--out")
    keeping = Keeping(receipts, receipts_key, heads, witness) if receipts else None
    where = Where(tracking_uri, releases, seal_key)
    with found_model(model, digest, where) as (artifact, folder):
        artifact = at_site(artifact, model, site, where)
        with _recording(keeping, artifact, folder, site) as recording:
            found = _scored(artifact, patients, out, data, site, recording)
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
    artifact: Artifact, patients: Path, out: Path, data: Path | None, site: str, recording: Recording | None
) -> Scored:
    import csv

    from serving.batch import score_file
    from serving.receipts.record import NoReceipt

    try:
        today = datetime.now(UTC).date()
        return score_file(artifact, patients, out, data=data, site=site, recording=recording, today=today)
    except NoReceipt as error:
        refuse(f"{out} was not written: no receipt could be made durable ({error.reason}), and no score is shown without one")
    except (OSError, ValueError, ArithmeticError, csv.Error) as error:
        refuse(str(error))


def serve(
    model: ModelOption,
    host: Annotated[str, typer.Option(help="Loopback only: who may ask comes with a later version.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    dev: Annotated[bool, typer.Option("--dev", help="Serve a model of simulated patients, for trying things out.")] = False,
    digest: Digest = None,
    site: Site = "",
    tracking_uri: TrackingUri = None,
    releases: Releases = RELEASES,
    seal_key: SealKey = None,
    receipts: Receipts = DEFAULT_RECEIPTS,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    witness: Witness = None,
) -> None:
    """Serve a model over HTTP: POST /v1/scores, GET /v1/model, GET /livez, GET /readyz. No score leaves without a receipt."""
    if not is_loopback(host):
        refuse(f"--host {host}: allowed is a loopback address (127.0.0.1); there is no access control yet")
    keeping = Keeping(receipts, receipts_key, heads, witness)
    where = Where(tracking_uri, releases, seal_key)
    with found_model(model, digest, where) as (artifact, folder):
        artifact = at_site(artifact, model, site, where)
        if artifact.model.simulated and not dev:
            refuse(f"{model} learned from simulated patients: it is no model for real ones; --dev serves it as an example")
        try:
            from serving.access.desk import Desk
            from serving.app import create_app
            from serving.http_server import listening
            from serving.http_server import serve as answer
            from serving.standing import released
        except ModuleNotFoundError as error:
            refuse(f"{error.name} is not installed: the service needs lymphorisk[serving]")
        _say("; ".join([f"{artifact.model.name}, digest {artifact.digest}", *released(artifact)]))
        with opened_receipts(keeping, artifact, folder, site, _say) as writer:
            try:
                at = listening(host, port)
            except OSError as error:
                refuse(f"--host {host} --port {port}: {error.strerror}")
            with at:
                _say(f"receipts in {receipts}: whole from the last signed head on; lymphorisk audit verify checks the rest")
                _say(f"answers at http://{f'[{host}]' if ':' in host else host}:{at.getsockname()[1]}")
                answer(create_app(artifact, writer, site, access=Desk()), at)


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
