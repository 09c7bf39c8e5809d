"""Files that are not what they should be: a refused line is told by its number, an empty or indented file as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.artifact import Artifact
from models.cohort_file import InvalidCohort
from serving.batch import Scored, score_file


def line(id: str, **changes: object) -> str:
    labs = [("alc", 0.9, "10*9/L"), ("albumin", 36, "g/L")]
    measured = [{"analyte": name, "value": value, "unit": unit, "date": "2026-03-30"} for name, value, unit in labs]
    whole = {"id": id, "as_of": "2026-03-31", "age_years": 61, "tumour": "pancreatic", "measurements": measured}
    return json.dumps(whole | changes)


@pytest.fixture
def scored(loaded: Artifact, tmp_path: Path):  # type: ignore[no-untyped-def]  # a function of the file's bytes
    def score(content: bytes) -> Scored:
        path = tmp_path / "patients.ndjson"
        path.write_bytes(content)
        return score_file(loaded, path, tmp_path / "scores.csv", progress=False)

    return score


def test_a_refused_line_is_told_by_its_number(scored) -> None:  # type: ignore[no-untyped-def]
    found = scored(f"{line('a')}\n\n{line('b', age_years=17)}\n{line('c', sex='x')}\n{{\n\"x\n".replace("{\n", "{}\n").encode())
    assert found.scored == 1
    # who can be read and is not eligible is told by his id, which the file's owner knows
    assert [one.place for one in found.refused] == ["", "line 4", "line 5", "line 6"]
    assert str(found.refused[1]).startswith("line 4, invalid: /sex = x")


def test_a_byte_order_mark_before_the_first_line_is_none_of_its_patient(scored) -> None:  # type: ignore[no-untyped-def]
    assert scored(b"\xef\xbb\xbf" + line("a").encode() + b"\n").scored == 1


def test_windows_ends_of_lines_end_lines(scored) -> None:  # type: ignore[no-untyped-def]
    assert scored(f"{line('a')}\r\n{line('b')}\r\n".encode()).scored == 2


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_refused(content: str, scored) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidCohort, match="at least one patient; likely an empty file"):
        scored(content.encode())


@pytest.mark.parametrize("content", [json.dumps([json.loads(line("a"))], indent=1), json.dumps(json.loads(line("a")), indent=1)])
def test_indented_json_is_refused_as_a_whole(content: str, scored) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidCohort, match=r"patients.ndjson, line 1 .*one patient a line; likely JSON that was indented"):
        scored(content.encode())
