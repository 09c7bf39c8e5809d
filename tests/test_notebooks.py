"""Notebooks import, call and draw; they define nothing, keep no output, and run from top to bottom."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
# in place of the cell tagged "parameters", and how many pictures there must be
SMALL = {
    "cohort": ("patients = 600", 3),
    "model": ("patients, refits, bootstrap, trials = 600, 2, 5, 2", 8),
    "patient": ("patients, bootstrap = 1500, 5", 4),
}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def names(source):
    return {name.id for name in ast.walk(ast.parse(source)) if isinstance(name, ast.Name)}


def test_there_are_three_notebooks():
    assert {path.stem for path in NOTEBOOKS} == set(SMALL)


def test_a_notebook_keeps_no_output(notebook):
    assert not any(cell.outputs or cell.execution_count for cell in code(notebook))


def test_a_notebook_defines_nothing(notebook):
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert not [node for cell in code(notebook) for node in ast.walk(ast.parse(cell.source)) if isinstance(node, defined)]


def test_a_notebook_imports_in_one_place(notebook):
    later = [node for cell in code(notebook)[2:] for node in ast.walk(ast.parse(cell.source))]  # the first may quieten the second
    assert not [node for node in later if isinstance(node, ast.Import | ast.ImportFrom)]


def test_a_notebook_explains_what_it_does(notebook):
    cells = [cell.cell_type for cell in notebook.cells]
    assert cells[0] == "markdown"
    assert cells.count("markdown") >= cells.count("code") / 2
    assert all(len(cell.source) < 700 for cell in notebook.cells[1:] if cell.cell_type == "markdown")
    assert "EXAMPLE: simulated patients, not a real risk" in notebook.cells[0].source


def test_a_notebook_runs_from_top_to_bottom(path, notebook, tmp_path):
    small, pictures = SMALL[path.stem]
    (parameters,) = (cell for cell in code(notebook) if "parameters" in cell.metadata.get("tags", ()))
    assert names(parameters.source) == names(small)
    parameters.source = small
    ran = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    drawn = [cell for cell in code(ran) for output in cell.outputs if "image/png" in output.get("data", {})]
    assert len(drawn) == pictures
