"""No text of the product speaks of treatment benefit or advises a treatment: all are read here, and planted ones are found."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import lymphorisk

ROOT = Path(lymphorisk.__file__).parent
TREATED = r"(treat(ment|ed|ing)?|therap(y|ies)|chemotherapy|immunotherapy|a drug|drugs|an agent|steroids|G-CSF|transfusion)"
RAISED = r"(rais(e|ing)|increas(e|ing)|restor(e|ing)|correct(ing)?|improv(e|ing)|recover(y|ing)|normali[sz](e|ing)|boost(ing)?)"
LIVES = r"(survival|life|lives|outcome|outcomes|prognosis|mortality|the risk of death)"
PATTERNS = (
    rf"(should|must|ought to|needs? to|recommend\w*|advis(e|ed|able)|consider|start|stop|give|offer|withhold|choose|prefer)\s+"
    rf"(?!not\b|have been\b)(\w+\s+){{0,4}}{TREATED}\b",
    rf"{TREATED}\s+(is|are|was|were|would be)\s+(\w+\s+)?"
    r"(recommended|indicated|advised|warranted|appropriate|preferred|futile|useless)",
    rf"{TREATED}[\w\s,]{{0,30}}\b(helps?|benefits?|prolongs?|extends?|saves?|works?|improves?)\b",
    rf"\b{RAISED}\s+(the\s+|a\s+|your\s+|their\s+|lymphocyte\w*\s+|count\w*\s+|ALC\s+|albumin\s+|NLR\s+|(?!or\b)\w+\s+){{1,4}}"
    rf"(will|would|may|can|could)?\s*(prolong|extend|lengthen|improve|lower|reduce|save)\w*",
    rf"(prolong|extend|lengthen|sav)(s|es|ed|ing)?\s+(\w+\s+){{0,2}}{LIVES}",
    r"(benefit|benefits|benefited|benefiting)\s+from",
    r"(likely|unlikely|expected)\s+to\s+(benefit|respond)",
    r"treatment\s+(benefit|effect|response)s?\b",
    r"(would|will)\s+live\s+longer",
    r"(ANKTIVA|N-803|nogapendekin|interleukin-15|IL-15)",
)
FORBIDDEN = [re.compile(pattern, re.IGNORECASE) for pattern in PATTERNS]
# where a text says that it does not: what stands before the words that would otherwise be ones of benefit
DENYING = r"never|not|no|nor|nobody|without|neither|none|cannot|refus\w+|nothing|claiming"
DENIED = re.compile(rf"\b({DENYING})\b[^.;]{{0,100}}$", re.IGNORECASE)
# names and facts of the field, each with its reason
ALLOWED = {
    "net benefit": "a statistic of decision curves (Vickers 2006)",
    "decision to start the next line of treatment": "the time origin, as the models define it",
    "decision to start the next line": "the same",
    "response to immunotherapy": "what LORIS was published for",
    "treatment response": "what LORIS was published for",
    "tumour response": "an outcome of a line of therapy, as given",
}
WORDS = re.compile(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}\s+[A-Za-z]{2,}")


def texts() -> Iterator[tuple[str, str]]:
    """Every text that somebody may read: where it stands, and what it says."""
    for path in sorted(ROOT.glob("serving/pages/words/**/*.toml")):
        yield from ((f"{path.name}: {name}", value) for name, value in tomllib.loads(path.read_text("utf-8")).items())
    for path in sorted((*ROOT.glob("serving/**/*.html"), *ROOT.glob("training/**/*.html"), *ROOT.glob("training/**/*.md"))):
        yield str(path.relative_to(ROOT)), path.read_text("utf-8")
    for room in ("models", "serving", "training"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from _strings(path)
    yield from _strings(ROOT / "lymphorisk.py")
    yield "README.md", (ROOT / "README.md").read_text("utf-8")
    for path in sorted((ROOT / "models" / "released").glob("*/card.*")):
        text = path.read_text("utf-8")
        yield str(path.relative_to(ROOT)), json.dumps(json.loads(text), ensure_ascii=False) if path.suffix == ".json" else text
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        yield path.name, "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def _strings(path: Path) -> Iterator[tuple[str, str]]:
    """The texts in a module that read like sentences, whether they are docstrings or what somebody is told."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORDS.search(node.value):
            yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else " X " for part in node.values]
            yield f"{path.relative_to(ROOT)}:{node.lineno}", "".join(str(part) for part in parts)


def amiss(text: str) -> list[str]:
    """What in a text speaks of treatment benefit, and is neither denied before it nor a name of the field."""
    plain = " ".join(text.split())
    for known in ALLOWED:
        plain = re.sub(re.escape(known), " ", plain, flags=re.IGNORECASE)
    hits = (found for pattern in FORBIDDEN for found in pattern.finditer(plain))
    return [found.group() for found in hits if not DENIED.search(plain[max(0, found.start() - 110) : found.start()])]


def test_no_text_speaks_of_treatment_benefit_or_gives_advice() -> None:
    every = list(texts())
    assert len(every) > 3000
    found = {where: said for where, text in every if (said := amiss(text))}
    assert found == {}


@pytest.mark.parametrize(
    "planted",
    [
        "Consider chemotherapy for this patient.",
        "This patient should start immunotherapy now.",
        "We recommend a second line of treatment.",
        "In this patient therapy is futile.",
        "Raising the lymphocyte count would prolong survival.",
        "Restoring lymphocytes prolongs life.",
        "The patient is unlikely to benefit.",
        "Patients with low ALC benefit from the drug.",
        "Chemotherapy improves the outcome.",
        "Stop the steroids before you look again.",
        "Patients who recover would live longer.",
        "ANKTIVA is available under expanded access.",
    ],
)
def test_what_is_planted_is_found(planted: str) -> None:
    assert amiss(f"Some words before it that say nothing of the kind. {planted} And more.")


@pytest.mark.parametrize(
    "allowed",
    [
        "It advises for or against no treatment, and does not say that changing a value would change survival.",
        "Not by itself a reason to give or to withhold treatment.",
        "Check infection, steroids and biliary obstruction first.",
        "Net benefit at thresholds of 5 to 60 %.",
        "lymphocytes and inflammation: raises the risk by 3.1 percentage points",
        "at the decision to start the next line of treatment",
    ],
)
def test_what_the_field_says_may_be_said(allowed: str) -> None:
    assert amiss(allowed) == []
