"""A study that wants to learn from what "ever" happened is refused with the reason; what had happened by a landmark is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.study.study_file import InvalidStudy, read_study_file


@pytest.mark.parametrize("name", ["ever_rescued", "extra.alc_recovered_ever", "rescued"])
def test_a_study_that_asks_for_one_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(f'features = ["ln_alc", "{name}"]')
    with pytest.raises(InvalidStudy, match=r"lymphorisk rescue.*immortal time") as refused:
        read_study_file(path)
    assert len(refused.value.faults) == 1


def test_what_had_happened_by_a_landmark_may_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('features = ["ln_alc", "alc_recovered"]')
    assert read_study_file(path).features == ("ln_alc", "alc_recovered")
