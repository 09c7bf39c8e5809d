"""The files of an analysis: the report, every number as CSV and as JSON, and the pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.rescue.analysed import Analysed
from training.rescue.drawn import drawn
from training.rescue.page import report
from training.rescue.table import table_csv
from training.telling.drawn_flow import draw_flow
from training.telling.sheet import as_png

REPORT, NUMBERS, DOCUMENT, PICTURES = "report.html", "numbers.csv", "rescue.json", "pictures"


def write(folder: Path, found: Analysed, told: Mapping[str, Any]) -> tuple[Path, ...]:
    """Write them into `folder`, which must not exist or be empty; raises FileExistsError where it holds something."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: an analysis is written once and never altered")
    pictures = {name: as_png(figure) for name, figure in drawn(found, told)}
    first, *steps = told["flow"]
    steps = [step for step in steps if step["left"]]  # the table tells of those by whom nobody left, too
    flow = draw_flow([first, *steps], told["patients"], told["deaths"], example=str(told.get("example", "")))
    pictures["flow"] = as_png(flow)
    whole = json.dumps(told, indent=2, allow_nan=False) + "\n"
    files = {REPORT: report(told, pictures), NUMBERS: table_csv(told), DOCUMENT: whole}
    (folder / PICTURES).mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    for name, png in pictures.items():
        (folder / PICTURES / f"{name}.png").write_bytes(png)
    return (*(folder / name for name in files), *(folder / PICTURES / f"{name}.png" for name in pictures))
