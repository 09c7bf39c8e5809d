"""What receipts cost a service that is asked over 16 connections."""

import pytest
from throughput import CONNECTIONS, KEPT, asked, recorded, unrecorded


@pytest.fixture
def services(tmp_path):
    with recorded(tmp_path) as kept, unrecorded(tmp_path) as bare:
        yield kept, bare


def test_throughput_with_receipts_against_without(race, services):
    requests = 1_000 if race.real else 40
    kept, bare = services
    race(
        lambda: asked(kept, requests),
        lambda: asked(bare, requests),
        what=f"a score with its receipt over {CONNECTIONS} connections",
        against="the same service that records nothing",
        rounds=9,
        units=(requests, requests),
        bar=1 / KEPT,
        said=lambda ratio: f"{1 / ratio:.2f} of the throughput kept",
    )
