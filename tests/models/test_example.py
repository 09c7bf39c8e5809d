"""Simulated patients are known by one word, however it is written, and by what a simulation leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.example import is_simulated, made_by_simulation


@pytest.mark.parametrize("source", ["simulated", "Simulated", " SIMULATED ", "simulated\n", "\u00a0simulated"])
def test_simulated_is_simulated_in_any_case_and_with_blanks_around(source: str) -> None:
    assert is_simulated(source)


@pytest.mark.parametrize("source", ["", "a hospital", "a hospital, not simulated", "simulated-5000-1 in part"])
def test_another_source_is_not(source: str) -> None:
    assert not is_simulated(source)


def test_a_simulation_is_known_by_its_name_or_by_the_true_risks_beside_it(tmp_path: Path) -> None:
    assert made_by_simulation("simulated-500-1", tmp_path)
    assert not made_by_simulation("hospital", tmp_path)
    (tmp_path / "truth.csv").touch()
    assert made_by_simulation("hospital", tmp_path)
