"""One process of the service, from what was asked on the command line to the last answer.

What it opens it closes, in the other order: model, receipts, socket, the watch over the releases.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from models.artifact import Artifact
from models.release import store_of
from models.seal_key import read_key
from serving import http_server
from serving.admitting import admitting, trying_out
from serving.app import create_app
from serving.current import Current
from serving.keeping import Keeping, answers_from_now_on, opened_receipts
from serving.limits import Limits, Rates, Room, read_limits
from serving.loading import URIS, Where, at_site, found_model, refuse
from serving.metrics import Metrics
from serving.operating import Operation
from serving.pages.signing import ONCE
from serving.reaching import Reached
from serving.readiness import OnDisk, clock
from serving.receipts.archive import Archive
from serving.receipts.keys import read_keys
from serving.receipts.models_kept import MODELS
from serving.receipts.writer import Writer
from serving.standing import released
from serving.watching import Releases, Watch
from serving.workers import end_with_parent, work


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    model: str
    digest: str | None
    where: Where
    site: str
    dev: bool
    reached: Reached
    keeping: Keeping
    access: Path
    access_key: Path | None


def run(asked: Asked) -> None:
    """Answer until the process is asked to end; leaves with exit code 1 and the reason where it cannot begin."""
    if asked.reached.workers > 1 and asked.reached.fd is None:
        _have_answered(asked.reached)
        return
    with ExitStack() as open_:
        artifact, folder = open_.enter_context(_model(asked))
        let_in = trying_out(asked.keeping.folder) if asked.dev else admitting(asked.access, asked.access_key)
        admitted = open_.enter_context(let_in)
        writer = open_.enter_context(opened_receipts(asked.keeping, artifact, folder, asked.site, _say))
        at = open_.enter_context(bound(asked.reached))
        current = Current(artifact)
        limits = _limits(asked)
        operation = _operation(asked, current, writer, limits)
        archive = _archive(asked)
        app = create_app(
            current,
            writer,
            asked.site,
            access=admitted.access,
            archive=archive,
            sessions=admitted.sessions,
            ways=admitted.ways,
            operation=operation,
            address=admitted.address,
        )
        open_.enter_context(_watch(asked, current, writer))
        _say(f"receipts in {asked.keeping.folder}: whole from the last signed head on; lymphorisk audit verify checks the rest")
        place = f"{asked.reached.url}:{at.getsockname()[1]}"
        _say(f"answers at {place}")
        if (links := admitted.ways.links) is not None:
            _say(f"sign in once, within five minutes, at {place}{ONCE}#{links.word()}")
        http_server.serve(app, at, _entrance(asked.reached, operation.metrics, limits))


def _have_answered(reached: Reached) -> None:
    """By several processes, which are begun with the same words."""
    with bound(reached) as at:
        _say(f"answers at {reached.url}:{at.getsockname()[1]}, by {reached.workers} processes")
        if code := work(at, reached.workers):
            raise typer.Exit(code)


def bound(reached: Reached) -> socket.socket:
    """The socket that listens there, or the one a parent bound; leaves with exit code 1 where there can be none."""
    if reached.fd is not None:
        end_with_parent()
        return socket.socket(fileno=reached.fd)
    try:
        return http_server.listening(reached.host, reached.port)
    except OSError as error:
        refuse(f"--host {reached.host} --port {reached.port}: {error.strerror}")


def _entrance(reached: Reached, metrics: Metrics, limits: Limits) -> http_server.Entrance:
    tls = None
    if reached.certificate is not None and reached.key is not None:
        try:
            tls = http_server.tls(reached.certificate, reached.key)
        except OSError as error:  # what OpenSSL finds wrong is one of them
            refuse(f"--tls-certificate {reached.certificate} --tls-key {reached.key}: {error.strerror or error}")
    return http_server.Entrance(reached.hosts, tls, reached.proxy, Room(limits.at_once), metrics)


def _limits(asked: Asked) -> Limits:
    try:
        return read_limits(asked.access / "access.toml")
    except (OSError, ValueError) as error:
        refuse(f"{error}")


def _operation(asked: Asked, current: Current, writer: Writer, limits: Limits) -> Operation:
    """What is watched while it runs; without keys, where everybody is the same, nobody asks too often."""
    metrics = Metrics()
    writer.watched = metrics.recorded
    checks = (
        OnDisk(asked.keeping.folder / MODELS, current),
        clock(lambda: writer.head),
        lambda: writer.witness_fault,
    )
    waiting = (lambda identity: 0.0) if asked.dev else Rates(limits.rate).waiting
    return Operation(metrics, checks, lambda: writer.head, waiting)


@contextmanager
def _model(asked: Asked) -> Iterator[tuple[Artifact, Path]]:
    """The model that answers first, with what is known of it at the site, and its folder."""
    with found_model(asked.model, asked.digest, asked.where) as (artifact, folder):
        artifact = at_site(artifact, asked.model, asked.site, asked.where)
        if artifact.model.simulated and not asked.dev:
            refuse(f"{asked.model} learned from simulated patients: it is no model for real ones; --dev serves it as an example")
        _say("; ".join([f"{artifact.model.name}, digest {artifact.digest}", *released(artifact)]))
        yield artifact, folder


def _archive(asked: Asked) -> Archive:
    keeping = asked.keeping
    return Archive.open(keeping.folder, read_keys(keeping.key), heads=keeping.heads, database=keeping.database)


@contextmanager
def _watch(asked: Asked, current: Current, writer: Writer) -> Iterator[None]:
    """Follows the champion of the releases; a model that was pinned, or that nobody promoted, stays."""
    promotion = current.artifact.promotion
    if promotion is None or not promotion.champion or asked.digest is not None:
        yield
        return
    root = (None if asked.model.startswith(URIS) else store_of(Path(asked.model).resolve())) or asked.where.releases

    def keep(artifact: Artifact, folder: Path) -> None:
        answers_from_now_on(asked.keeping, writer, artifact, folder, asked.site)

    with Watch(Releases(root, read_key(asked.where.seal_key), asked.site), current, keep):
        yield


def _say(words: str) -> None:
    typer.echo(words, err=True)
