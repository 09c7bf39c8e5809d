"""Notebooks import, call and draw; they define nothing, keep no output, and run from top to bottom."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
SMALL = "patients, refits, bootstrap = 500, 2, 2"  # in place of the cell tagged "parameters"


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def names(source):
    return {name.id for name in ast.walk(ast.parse(source)) if isinstance(name, ast.Name)}


def test_there_is_a_notebook():
    assert [path.stem for path in NOTEBOOKS] == ["from_cohort_to_risk"]


def test_a_notebook_keeps_no_output(notebook):
    assert not any(cell.outputs or cell.execution_count for cell in code(notebook))


def test_a_notebook_defines_nothing(notebook):
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert not [node for cell in code(notebook) for node in ast.walk(ast.parse(cell.source)) if isinstance(node, defined)]


def test_a_notebook_runs_from_top_to_bottom(notebook, tmp_path):
    (parameters,) = (cell for cell in code(notebook) if "parameters" in cell.metadata.get("tags", ()))
    assert names(parameters.source) == names(SMALL)
    parameters.source = SMALL
    ran = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    drawn = [cell for cell in code(ran) for output in cell.outputs if "image/png" in output.get("data", {})]
    assert len(drawn) == 8
