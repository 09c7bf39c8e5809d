"""The administrator's commands: make an API key, list those that were made, take one back."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from models.api_keys import DAYS, InvalidGrant, make_key, read_keys, revoke_key
from models.durable import PRIVATE
from models.identity import Role
from models.seal import BrokenSeal
from models.seal_key import ACCESS, read_key, read_or_make_key
from serving.commands.options import DEFAULT_ACCESS, Access, AccessKey, AsJson
from serving.loading import refuse

if TYPE_CHECKING:
    from models.api_keys import ApiKey

Name = Annotated[str, typer.Argument(metavar="NAME", help="The person or the program that the key stands for.")]
Roles = Annotated[list[Role], typer.Option("--role", help="What it is for; several may be given.")]
Unit = Annotated[str, typer.Option("--unit", help="The part of the hospital whose receipts a clinician sees.")]
Days = Annotated[int, typer.Option("--days", help="For how long it is good.")]
KeyOut = Annotated[Path | None, typer.Option("--out", help="A new file for the key, for its owner alone.", dir_okay=False)]


def add(
    name: Name,
    role: Roles,
    unit: Unit = "",
    days: Days = DAYS,
    out: KeyOut = None,
    access: Access = DEFAULT_ACCESS,
    access_key: AccessKey = None,
) -> None:
    """Make a key. It is shown this once, and kept as a digest."""
    with _refusing(), _new_file(out) as file:
        key, kept = make_key(access, read_or_make_key(access_key, _say, ACCESS), name, role, unit, days, _operator())
        if file is not None:
            file.write(key + "\n")
    if out is None:
        typer.echo(key)
    _say(f"{_line(kept, datetime.now(UTC))}{f'; the key is in {out}' if out else '; it is shown this once'}")


def list_keys(access: Access = DEFAULT_ACCESS, access_key: AccessKey = None, as_json: AsJson = False) -> None:
    """Every key that was ever made: whom it stands for, what it is for, and whether it is still good."""
    with _refusing():
        found = read_keys(access, read_key(access_key, ACCESS))
    now = datetime.now(UTC)
    if as_json:
        typer.echo(json.dumps([_told(one, now) for one in found], indent=2))
        return
    for one in found:
        typer.echo(_line(one, now))
    if not found:
        _say(f"no key was ever made in {access}: lymphorisk keys add")


def revoke(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="The eight digits of the key.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is taken back.")],
    access: Access = DEFAULT_ACCESS,
    access_key: AccessKey = None,
) -> None:
    """Take a key back, for good; a service that runs knows within a second."""
    with _refusing():
        found = revoke_key(access, read_key(access_key, ACCESS), prefix, _operator(), reason)
    _say(_line(found, datetime.now(UTC)))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (InvalidGrant, BrokenSeal, OSError) as error:
        refuse(str(error))


@contextmanager
def _new_file(path: Path | None) -> Iterator[IO[str] | None]:
    """A file for its owner alone, there before the key is: a key that nobody could be given would be good for a year."""
    if path is None:
        yield None
        return
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w", encoding="ascii") as file:
        try:
            yield file
            file.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _operator() -> str:
    """Who is at this computer, by the name it knows them by."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "an operator"


def _line(key: ApiKey, now: datetime) -> str:
    unit = f", {key.unit}" if key.unit else ""
    return f"{key.prefix}  {key.name} ({', '.join(sorted(key.roles))}{unit})  {_state(key, now)}"


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked:
        return f"taken back {key.revoked}"
    return f"good until {key.expires}" if key.good(now) else f"not good any more since {key.expires}"


def _told(key: ApiKey, now: datetime) -> dict[str, object]:
    names = ("prefix", "name", "unit", "made", "by", "expires")
    told = {name: getattr(key, name) for name in names}
    return told | {"roles": sorted(key.roles), "revoked": key.revoked or None, "good": key.good(now)}


def _say(words: str) -> None:
    typer.echo(words, err=True)
