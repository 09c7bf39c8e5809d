"""The report is one page that loads nothing, shows every picture with its words, and takes nothing it is told for markup."""

import json
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from models.example import EXAMPLE
from training.cohort import Cohort
from training.fit import Fit
from training.telling.page import report_html, report_path, write_report
from training.telling.pictures import draw_pictures

Evidence = dict[str, dict[str, Any]]
VOID = {"meta", "img", "link", "br", "hr", "input"}
HOSTILE = "<script>alert('x')</script>"
DIAGNOSIS = {
    "fails": 1,
    "findings": [
        {"item": "overlap", "domain": "participants", "question": "Twice?", "verdict": "Unknown", "number": None, "why": "one"},
        {"item": "size", "domain": "analysis", "question": "Enough?", "verdict": "Pass", "number": 0.93, "why": "shrinkage"},
        {"item": "constant", "domain": "predictors", "question": "Constant?", "verdict": "Fail", "number": 1, "why": "platelets"},
    ],
}
STUDY = {"name": "first", "digest": "ab", "horizons": [30, 90], "search": {"trials": 30}, "card": {"developer_and_contact": "x"}}


class Page(HTMLParser):
    """What a browser would make of the page, as far as the tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


@pytest.fixture(scope="module")
def evidence(small_evidence: Evidence) -> Evidence:
    return small_evidence | {"diagnosis.json": DIAGNOSIS, "study.json": STUDY}


@pytest.fixture(scope="module")
def pictures(small_cohort: Cohort, small_fit: Fit, evidence: Evidence, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return list(draw_pictures(small_cohort, small_fit, evidence, tmp_path_factory.mktemp("pictures")))


@pytest.fixture(scope="module")
def text(evidence: Evidence, pictures: list[Path]) -> str:
    drawn = {path.stem: path.read_bytes() for path in pictures}
    return report_html(evidence, drawn, digest="f" * 64, provenance={"code": "0.1.0"})


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_every_element_is_closed_and_there_is_no_script(page: Page) -> None:
    assert page.open == []
    assert page.all("script") == []
    assert not [attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)]


def test_nothing_is_loaded_from_anywhere(page: Page, text: str) -> None:
    for _, attributes in page.tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    assert page.all("link") == []
    assert "@import" not in text
    assert "url(" not in text


def test_every_picture_has_words_and_every_drawn_one_of_the_evidence_is_there(page: Page, pictures: list[Path]) -> None:
    images = page.all("img")
    assert all(len(image["alt"] or "") > 40 for image in images)
    not_shown = {"shap-groups", "shap-one-patient"}  # the strip by horizon says more; one row is for MLflow's page
    assert len(images) == len({path.stem for path in pictures} - not_shown)
    assert len(page.all("figcaption")) == len(images)


def test_every_table_has_a_caption_and_headers(page: Page) -> None:
    tables = len(page.all("table"))
    assert tables > 12
    assert len(page.all("caption")) == tables == len(page.all("thead"))
    assert all(header.get("scope") in ("col", "row") for header in page.all("th"))


def test_headings_go_down_one_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_every_entry_of_the_contents_leads_somewhere(page: Page) -> None:
    targets = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(targets)) == len(targets)
    assert {(link["href"] or "")[1:] for link in page.all("a")} <= set(targets)


def test_it_opens_with_what_the_patients_are_and_whether_to_believe_it(page: Page) -> None:
    assert page.text("p")[0] == EXAMPLE
    assert page.text("h2")[:3] == ["May this model be believed?", "Does it beat simpler models?", "Performance"]
    verdicts = [word for word in page.text("th") if word in ("Fail", "Unknown", "Pass")]
    assert verdicts == ["Fail", "Unknown", "Pass"], "what failed comes first"
    assert any(word.startswith("Not as it stands") for word in page.text("p"))


def test_it_says_against_what_it_is_better_with_an_interval(page: Page) -> None:
    said = [word for word in page.text("p") if ", by day 90, against " in word]
    assert [word.split(" against ")[1].split(" (")[0] for word in said] == [
        "albumin alone",
        "ln NLR alone",
        "Cox on ln NLR, albumin and age",
    ]
    assert all(" to " in word and word.endswith(": no verdict from so few resamples.") for word in said)


def test_which_figures_are_to_be_quoted_is_said_and_none_where_resamples_are_few(page: Page, evidence: Evidence) -> None:
    said = page.text("p")
    assert any(word.startswith("Only 10 resamples, and 100 are needed") for word in said)
    assert any(word.startswith("To quote: the figures above") for word in said)
    scheme = evidence["evaluation.json"]["scheme"] | {"resamples": 200}
    enough = Page(report_html(evidence | {"evaluation.json": evidence["evaluation.json"] | {"scheme": scheme}}, {}))
    assert not any(word.startswith("Only") for word in enough.text("p"))
    said = [word for word in enough.text("p") if ", by day 90, against " in word]
    assert all(word.endswith(("better.", "worse.", "not distinguishable.")) for word in said)


def test_albumin_is_told_once_and_chance_is_told_beside_the_strata(page: Page, evidence: Evidence) -> None:
    assert not any("Gain in AUC over albumin alone" in caption for caption in page.text("caption"))
    assert any("groups with an interval (by chance alone " in word for word in page.text("p"))
    models = {"models": {"cox_four": {"label": "Cox on albumin", "features": ["albumin", "age"], "varied": ["albumin"]}}}
    told = Page(report_html(evidence | {"comparators.json": models}, {})).text("p")
    assert any(word.startswith("Cox on albumin: named in advance with age as well, which is the same") for word in told)


def test_digests_and_the_study_are_told(page: Page) -> None:
    assert "f" * 64 in page.text("td")
    assert "trials" in page.text("th")


def test_what_is_absent_is_said_to_be_absent(small_evidence: Evidence) -> None:
    bare = {name: small_evidence[name] for name in ("cohort.json", "learner.json")}
    bare["evaluation.json"] = {"evaluations": {}}
    page = Page(report_html(bare, {}))
    assert page.all("img") == []
    quiet = [word for word in page.text("p") if "not available:" in word]
    absent = ["Diagnosis", "Strata", "Comparators", "Splits by time and by site", "Study", "Learning curve"]
    assert [word.split(":")[0] for word in quiet] == absent


def test_a_name_that_looks_like_markup_stays_text(evidence: Evidence) -> None:
    hostile = json.loads(json.dumps(evidence).replace(json.dumps(evidence["learner.json"]["model"]), json.dumps(HOSTILE)))
    hostile["cohort.json"]["warnings"] = ["<img src=x onerror=y>"]
    page = Page(report_html(hostile, {}))
    assert page.all("script") == []
    assert page.all("img") == []
    assert page.text("h1") == [HOSTILE]
    assert "<img src=x onerror=y>" in page.text("li")


def test_it_is_written_beside_the_artifact_the_same_every_time(evidence: Evidence, pictures: list[Path], tmp_path: Path) -> None:
    path = write_report(tmp_path / "model", evidence, pictures, "f" * 64, {})
    assert path == report_path(tmp_path / "model") == tmp_path / "model-report.html"
    first = path.read_bytes()
    write_report(tmp_path / "model", evidence, pictures, "f" * 64, {})
    assert path.read_bytes() == first
    assert str(tmp_path).encode() not in first


def test_patients_kept_for_the_end_are_told_with_the_number_of_the_look(evidence: Evidence) -> None:
    one = {"cohort": "later", "digest": "cd", "look": 2, "population": {"inside": 480, "outside": 0}}
    test = {"cohorts": [one | {"evaluations": evidence["evaluation.json"]["evaluations"]}]}
    page = Page(report_html(evidence | {"test.json": test}, {}))
    assert "Patients kept for the end" in page.text("h2")
    assert "later, look 2 at it" in page.text("h3")
    n = evidence["evaluation.json"]["evaluations"]["everybody"]["n"]
    assert f"later, everybody, {n} patients" in page.text("caption")
