"""Requests of one turn of the loop are scored together, each answered for itself, by one model and to the bit as if alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence

import pytest

from models.artifact import Artifact
from models.risk import NotAdditive
from serving import recorded
from serving.answer import Answer
from serving.company import LARGEST, Together
from serving.current import Current
from serving.patient_files import Asked
from serving.receipts.payload import unpack
from serving.recorded import Answered, Answering
from serving.refused import Refused
from serving.score import score
from serving.wire import read_line

TODAY = "2026-03-31"


def line(name: str, albumin: float = 3.6, **changes: object) -> bytes:
    labs = {"alc": (800, "cells/uL"), "anc": (4.0, "10*9/L"), "albumin": (albumin, "g/dL")}
    measured = [{"analyte": a, "value": v, "unit": u, "date": "2026-03-20"} for a, (v, u) in labs.items()]
    document = {"id": name, "as_of": TODAY, "age_years": 61, "tumour": "pancreatic", "measurements": measured}
    return json.dumps(document | {"history": {"prior_lines": 2}} | changes).encode()


def asked(*lines: bytes) -> list[Asked]:
    return [(read_line(one), lambda one=one: one) for one in lines]  # type: ignore[misc]  # each its own


def refusal(place: int, refused: Refused) -> Mapping[str, object]:
    return {"refused": place}


def all_at_once(together: Together, requests: Sequence[Sequence[Asked]]) -> list[Answered]:
    async def ask() -> list[Answered]:
        return await asyncio.gather(*(together.answered(one, {"by": str(place)}) for place, one in enumerate(requests)))

    return asyncio.run(ask())


@pytest.fixture
def companies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many patients were scored in each go."""
    sizes: list[int] = []

    def counted(artifact: Artifact, patients: Sequence[object], site: str) -> object:
        sizes.append(len(patients))
        return score(artifact, patients, site)  # type: ignore[arg-type]

    monkeypatch.setattr(recorded, "score", counted)
    return sizes


def test_what_comes_together_is_scored_in_one_go_and_answered_as_if_alone(loaded: Artifact, companies: list[int]) -> None:
    requests = [asked(line(f"p{place}", 2.5 + place / 10)) for place in range(7)] + [asked(line("a"), line("b", 3.0))]
    found = all_at_once(Together(Current(loaded), "here", refusal), requests)
    assert companies == [9]
    alone = [Answering(loaded, "here").answered(one, {"by": str(place)}, refusal) for place, one in enumerate(requests)]
    assert [one.said for one in found] == [one.said for one in alone]
    for place, one in enumerate(found):
        assert [unpack(draft.content)["caller"] for draft in one.drafts.values()] == [{"by": str(place)}] * len(one.drafts)
        assert [draft.id for draft in one.drafts.values()] == [json.loads(said)["id"] for said in one.said]


def test_who_comes_alone_waits_for_nobody(loaded: Artifact, companies: list[int]) -> None:
    together = Together(Current(loaded), "", refusal)
    for _ in range(3):
        all_at_once(together, [asked(line("p"))])
    assert companies == [1, 1, 1]


def test_a_company_has_an_end_and_everybody_is_answered(loaded: Artifact, companies: list[int]) -> None:
    names = [f"p{place}" for place in range(2 * LARGEST + 3)]
    found = all_at_once(Together(Current(loaded), "", refusal), [asked(line(name)) for name in names])
    assert companies == [LARGEST, LARGEST, 3]
    assert [json.loads(one.said[0])["id"] for one in found] == names


def test_who_is_refused_leaves_the_others_alone(loaded: Artifact, companies: list[int]) -> None:
    two = asked(line("b"), line("c", tumour="leukaemia"))
    requests = [asked(line("a")), asked(line("child", age_years=3)), asked(b"{}"), two]
    found = all_at_once(Together(Current(loaded), "", refusal), requests)
    assert [len(one.refused) for one in found] == [0, 1, 1, 1]
    assert [sorted(one.drafts) for one in found] == [[0], [], [], [0]]
    assert json.loads(found[3].said[1]) == {"refused": 1}


def test_what_nobody_foresaw_in_one_patient_is_the_problem_of_that_one(
    loaded: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(artifact: Artifact, patients: Sequence[object], site: str) -> Sequence[Answer | Refused]:
        if any(getattr(one, "id", "") == "bad" for one in patients):
            raise NotAdditive("it does not add up")
        return score(artifact, patients, site)  # type: ignore[arg-type]

    monkeypatch.setattr(recorded, "score", fails)
    together = Together(Current(loaded), "", refusal)

    async def ask() -> list[Answered | BaseException]:
        requests = [asked(line(name)) for name in ("a", "bad", "b")]
        return await asyncio.gather(*(together.answered(one, {}) for one in requests), return_exceptions=True)

    first, bad, last = asyncio.run(ask())
    assert isinstance(bad, NotAdditive)
    assert [isinstance(one, Answered) and json.loads(one.said[0])["id"] for one in (first, last)] == ["a", "b"]


def test_a_company_is_answered_by_one_model_and_the_next_by_the_next(loaded: Artifact, simulated: Artifact) -> None:
    current = Current(loaded)
    together = Together(current, "", refusal)

    async def ask() -> tuple[list[Answered], list[Answered]]:
        first = [asyncio.ensure_future(together.answered(asked(line(name)), {})) for name in ("a", "b")]
        await asyncio.sleep(0)  # they wait to be scored
        current.take(simulated)
        second = [asyncio.ensure_future(together.answered(asked(line(name)), {})) for name in ("c", "d")]
        return list(await asyncio.gather(*first)), list(await asyncio.gather(*second))

    answers = [{json.loads(one.said[0])["model"]["digest"] for one in some} for some in asyncio.run(ask())]
    assert [len(digests) for digests in answers] == [1, 1]
    assert answers[1] == {simulated.digest}


def test_who_does_not_wait_any_more_is_left_out(loaded: Artifact, companies: list[int]) -> None:
    together = Together(Current(loaded), "", refusal)

    async def ask() -> Answered:
        gone = asyncio.ensure_future(together.answered(asked(line("gone")), {}))
        stays = asyncio.ensure_future(together.answered(asked(line("stays")), {}))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert json.loads(asyncio.run(ask()).said[0])["id"] == "stays"
    assert sum(companies) <= 2
