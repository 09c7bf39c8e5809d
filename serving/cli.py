"""The clinician's and the operator's commands: score a file of patients, serve a model over HTTP.

Nothing heavy is imported here, and nothing that trains anywhere on the way: a patient is scored within a second of the command.
"""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.loading import REFUSED, RELEASES, Where, load_model, refuse

if TYPE_CHECKING:
    from models.artifact import Artifact
    from serving.batch import Scored

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
Releases = Annotated[Path, typer.Option("--releases", help="The releases whose champion models:/name@champion must be.")]
SealKey = Annotated[Path | None, typer.Option("--seal-key", help="File of the key with which the ledger was sealed.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON on standard output.")]


def mount(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (score, serve):
        app.command()(command)
    audit = typer.Typer(no_args_is_help=True, help="The receipts of scores: verify, replay, show, export.")
    # one line a verb: audit.command("verify")(verify)
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
    as_json: AsJson = False,
) -> None:
    """Score patients: risks, terms and quality flags, one row a patient. A bad row is refused and the file goes on (exit 1)."""
    import csv

    from serving.batch import score_file

    if out.resolve() == patients.resolve():
        raise typer.BadParameter("the scores would overwrite the patients", param_hint="--out")
    artifact = load_model(model, digest, Where(tracking_uri, releases, seal_key))
    try:
        found = score_file(artifact, patients, out, data=data, site=site)
    except (OSError, ValueError, ArithmeticError, csv.Error) as error:
        refuse(str(error))
    _report(artifact, found, as_json)
    if found.refused:
        raise typer.Exit(REFUSED)


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
) -> None:
    """Serve a model over HTTP: POST /v1/scores, GET /v1/model, GET /livez."""
    if not _loopback(host):
        refuse(f"--host {host}: allowed is a loopback address (127.0.0.1); there is no access control yet")
    artifact = load_model(model, digest, Where(tracking_uri, releases, seal_key))
    if artifact.model.simulated and not dev:
        refuse(f"{model} learned from simulated patients: it is no model for real ones; --dev serves it as an example")
    try:
        import uvicorn

        from serving.app import create_app
        from serving.standing import released
    except ModuleNotFoundError as error:
        refuse(f"{error.name} is not installed: the service needs lymphorisk[serving]")
    typer.echo("; ".join([f"{artifact.model.name}, digest {artifact.digest}", *released(artifact)]), err=True)
    uvicorn.run(create_app(artifact, site), host=host, port=port, server_header=False)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # another name: it may resolve to anything


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
