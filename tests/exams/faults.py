"""Whatever breaks beneath the service, no score leaves without its receipt; the process survives, and recovers by itself."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from breakages import (
    HALF_HEADS,
    SHIFTED_CLOCK,
    VOLUME,
    NotHere,
    cut,
    flagged,
    full,
    immutable,
    keep_older,
    limited,
    locked,
    mounted,
    nothing_written,
    older,
    removed,
    renamed,
)
from child import BACK_SECONDS, EXAMPLE, Child, Clients, until
from held import held
from marks import Mark

from serving.receipts.heads import last_head
from serving.receipts.record import CLOCK_SET_BACK

LASTS = 10.0  # seconds
_SETTLES = 1.5  # seconds in which what was under way when it broke may still be answered
_OWN_MODEL = "model"


@dataclass(frozen=True)
class Fault:
    """Something that breaks: what it is called, how it breaks and is mended, whether no score can be given meanwhile."""

    called: str
    breaks: Callable[[Child], AbstractContextManager[None]]
    refuses: bool = True
    before: str = ""
    options: Sequence[str] = ()  # `{}` in them stands for the folder
    prepared: Callable[[Path], AbstractContextManager[None]] = lambda folder: nullcontext()
    after: Callable[[Child], str] = lambda child: ""  # what is amiss afterwards, if anything


@dataclass
class Endured:
    """What came of one fault: what was amiss, in words, and after how many seconds a score was given again."""

    amiss: list[str] = field(default_factory=list)
    back: float = float("inf")
    refused: int = 0
    acknowledged: int = 0


def endured(fault: Fault, folder: Path, lasts: float = LASTS) -> Endured:
    """Break a service under load, mend it, and look at what it said meanwhile and what it holds. NotHere where that cannot be."""
    found = Endured()
    shutil.copytree(EXAMPLE, folder / _OWN_MODEL)
    flag, options = str(folder / "flag"), [one.format(folder) for one in fault.options]
    with ExitStack() as until_the_end:
        until_the_end.enter_context(fault.prepared(folder))
        child = Child(folder, fault.before.format(flag=flag), options, model=folder / _OWN_MODEL)
        until_the_end.enter_context(child)
        keep_older(child)
        with Clients(child.port) as clients:
            _wait_for_scores(clients, len(clients.told))
            with fault.breaks(child):
                time.sleep(_SETTLES if fault.refuses else 0)
                begun = len(clients.told)
                time.sleep(lasts)
                during = clients.told[begun:]
            found.back = _wait_for_scores(clients, len(clients.told))
        found.refused = sum(one.status == 503 for one in during)
        scored = sum(one.status == 200 for one in during)
        if fault.refuses and (scored or not found.refused):
            found.amiss.append(f"{scored} scores and {found.refused} refusals while it lasted")
        if not fault.refuses and not scored:
            found.amiss.append("no score while it lasted")
        strange = [one.status for one in clients.told if not one.as_agreed or one.status == 0]
        found.amiss += [f"told {len(strange)} times something else: {sorted(set(strange))}"] if strange else []
        found.amiss += [] if child.alive else ["the process did not survive"]
        found.acknowledged = len(clients.acknowledged)
        _look(child, clients, found, fault.after)
    return found


def _wait_for_scores(clients: Clients, since: int) -> float:
    """Seconds until three scores are given after so many answers: one may have been on its way before."""
    return until(lambda: sum(one.status == 200 for one in clients.told[since:]) > 2, 3 * BACK_SECONDS)


def _look(child: Child, clients: Clients, found: Endured, after: Callable[[Child], str]) -> None:
    """Everything that was given out is held, now and after a kill."""
    heads = _heads(child)
    for moment in ("", " after a kill"):
        kept = held(child.receipts, child.keys, clients.acknowledged, heads)
        if not kept.whole:
            found.amiss.append(f"{kept.lost} lost, {kept.altered} altered, {'; '.join(kept.faults)}{moment}")
        if not moment:
            found.amiss += list(filter(None, [after(child)]))
            child.kill()
            child.begin()
            child.back()


def _heads(child: Child) -> Path | None:
    return Path(str(child.options[1])) if "--heads" in child.options else None


def refused_start(folder: Path, spoil: Callable[[Child], AbstractContextManager[None]]) -> Endured:
    """A service that finds something spoilt does not begin, says why, changes nothing, and begins when it is mended."""
    found = Endured()
    shutil.copytree(EXAMPLE, folder / _OWN_MODEL)
    child = Child(folder, model=folder / _OWN_MODEL)
    child.begin()
    child.back()
    with Clients(child.port) as clients:
        _wait_for_scores(clients, 0)
    child.kill()  # when all that was asked was answered: the end of the log is of a receipt that was given out
    with spoil(child):
        before, told = _contents(child), len(child.said)
        child.begin()
        code = child.process.wait(60)
        said = child.said[told:]
        if code != 1 or "Traceback" in said or len(said.strip().splitlines()) > 3:
            found.amiss.append(f"ended with {code}, and said {said[-300:]!r}")
        found.amiss += [] if _contents(child) == before else ["a start that was refused altered the receipts"]
    began = time.monotonic()
    child.begin()
    child.back()
    found.back = time.monotonic() - began
    _look(child, clients, found, lambda _: "")
    found.acknowledged = len(clients.acknowledged)
    child.end()
    return found


def _contents(child: Child) -> dict[str, str]:
    """Digests of all that receipts are made of; the index of the log is none of it, and is made anew whenever it is needed."""
    files = [path for path in child.receipts.iterdir() if path.is_file() and not path.name.endswith("-shm")]
    files = [path for path in files if not path.name.startswith("sessions.db")]  # who is signed in, where there are no keys
    files = [path for path in files if path.stat().st_size]  # a log that was gone is made, with nothing in it
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@contextmanager
def last_page_spoilt(child: Child) -> Iterator[None]:
    """One bit of the last page of the database's log is another."""
    path = child.receipts / "receipts.db-wal"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    yield
    path.write_bytes(whole)


def _clock_told(child: Child) -> str:
    told = any(record.kind == CLOCK_SET_BACK for record in child.store().records())
    return "" if told else "no event tells that the clock was set back"


def _witnessed(child: Child) -> str:
    witness = Path(str(child.options[1]))
    heads = child.receipts / "heads.jsonl"
    caught_up = until(lambda: last_head(witness)[0] == last_head(heads)[0], BACK_SECONDS)
    return "" if caught_up <= BACK_SECONDS else "the witness was not caught up"


FAULTS = (
    Fault("disk full (files may not grow)", limited),
    Fault("disk full (a volume of its own)", lambda child: full(child.receipts), prepared=lambda at: mounted(at, "receipts")),
    Fault(
        "disk full beneath the heads",
        lambda child: full(child.folder / VOLUME),
        options=("--heads", "{}/volume/heads.jsonl"),
        prepared=lambda at: mounted(at, VOLUME, "1m"),
    ),
    Fault("half a head is written", flagged, before=HALF_HEADS),
    Fault("read-only (nothing can be written)", nothing_written),
    Fault("read-only (the files are immutable)", immutable),
    Fault("database locked", locked),
    Fault("clock set back 1 h", flagged, refuses=False, before=SHIFTED_CLOCK, after=_clock_told),
    Fault("model gone while running", lambda child: renamed(child.folder / _OWN_MODEL), refuses=False),
    Fault("heads gone", lambda child: renamed(child.receipts / "heads.jsonl")),
    Fault("heads cut", lambda child: cut(child.receipts / "heads.jsonl")),
    Fault("receipts folder gone", lambda child: renamed(child.receipts)),
    Fault("database gone", lambda child: renamed(child.receipts / "receipts.db")),
    Fault("log of the database removed", lambda child: removed(child.receipts / "receipts.db-wal"), refuses=False),
    Fault("an older copy of the database in its place", partial(older, by_rename=True)),
    Fault(
        "witness gone",
        lambda child: renamed(child.folder / VOLUME),
        refuses=False,
        options=("--witness", "{}/volume/witness.jsonl"),
        prepared=lambda at: nullcontext((at / VOLUME).mkdir()),
        after=_witnessed,
    ),
)
STARTS: Sequence[tuple[str, Callable[[Child], AbstractContextManager[None]]]] = (
    ("start with the last page of the log spoilt", last_page_spoilt),
    ("start without the model", lambda child: renamed(child.folder / _OWN_MODEL)),
    ("start without the heads", lambda child: renamed(child.receipts / "heads.jsonl")),
    ("start with the heads cut", lambda child: cut(child.receipts / "heads.jsonl")),
    ("start without the database", lambda child: renamed(child.receipts / "receipts.db")),
    ("start without the log of the database", lambda child: renamed(child.receipts / "receipts.db-wal")),
)


def sit(folder: Path, advance: Callable[..., object], lasts: float = LASTS) -> list[Mark]:
    """One mark a fault: the seconds until a score was given again; infinite where anything was amiss."""
    sat: list[tuple[str, Callable[[Path], Endured]]] = [(one.called, partial(endured, one, lasts=lasts)) for one in FAULTS]
    sat += [(called, partial(refused_start, spoil=spoil)) for called, spoil in STARTS]
    marks = []
    for place, (called, sit_one) in enumerate(sat):
        own = folder / str(place)
        own.mkdir()
        try:
            marks.append(_mark(called, sit_one(own)))
        except NotHere as error:
            marks.append(Mark(f"{called}: not sat", float("nan"), note=str(error)))
        advance("faults", place + 1, len(sat))
    return marks


def _mark(called: str, found: Endured) -> Mark:
    told = f"{found.acknowledged} acknowledged, {found.refused} refused"
    value = float("inf") if found.amiss else found.back
    return Mark(f"{called}: s until scores", value, most=BACK_SECONDS, note="; ".join([told, *found.amiss]))
