"""What every page has in common: the way about by role, fixed words, style and scripts of the package; trouble is a page, too."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from models.example import EXAMPLE
from models.identity import Identity, Role
from serving.pages import assets
from serving.pages.layout import environment, points
from serving.pages.words import say, words

from .conftest import SITE, WHOLE, House, somebody

FOLDER = Path(assets.__file__).parent
MAY_GO = {
    Role.CLINICIAN: ["/", "/patient", "/audit/mine"],
    Role.DATA_SCIENTIST: ["/", "/audit/attributions", "/audit/response"],
    Role.AUDITOR: [
        *["/", "/audit", "/audit/verification", "/audit/attributions", "/audit/response"],
        *["/audit/export", "/audit/mine"],
    ],
    Role.ADMINISTRATOR: ["/", "/audit/verification", "/audit/attributions", "/audit/response"],
}


def navigation(page: str) -> list[str]:
    (found,) = re.findall(r'<nav aria-label="Main">(.*?)</nav>', page, re.DOTALL)
    return re.findall(r'href="([^"]*)"', found)


@pytest.mark.parametrize("role", Role)
def test_everybody_is_shown_the_way_to_where_their_role_may_go_and_no_other(shared: House, role: Role) -> None:
    page = shared.ask(role, "/")
    assert (page.status_code, navigation(page.text)) == (200, MAY_GO[role])
    for path in MAY_GO[role]:
        assert shared.ask(role, path).status_code == 200


def test_several_roles_are_shown_all_their_ways(shared: House) -> None:
    both = Identity("C. Lind", frozenset({Role.CLINICIAN, Role.ADMINISTRATOR}), "", "key")
    page = shared.ask(both, "/").text
    assert navigation(page) == ["/", "/patient", "/audit/verification", "/audit/attributions", "/audit/response", "/audit/mine"]
    assert 'action="/audit/receipts"' in page


def test_whoever_has_not_signed_in_is_sent_to_where_one_does(shared: House) -> None:
    for path in ("/", "/audit", f"/audit/receipts/{WHOLE}", "/audit/export"):
        answer = shared.ask(None, path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


def test_every_page_says_who_is_signed_in_the_site_the_model_and_what_a_reason_is(shared: House) -> None:
    for path in MAY_GO[Role.AUDITOR]:
        page = shared.ask(Role.AUDITOR, path).text
        assert "<strong>A. Frey</strong>" in page
        assert "(auditor; unit Ward 3)" in page
        assert page.index(EXAMPLE) < page.index("<h1>")
        for words_ in (SITE, shared.archive.models.model(shared.document(WHOLE)["model"]["digest"]).digest):
            assert words_ in page
        assert "Association, not cause" in page
        assert "no treatment advice" in page


def test_a_name_that_is_a_script_stays_a_name(shared: House) -> None:
    page = shared.ask(Identity('<script>alert("x")</script>', frozenset({Role.AUDITOR}), '"><b>', "key"), "/").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert '"><b>' not in page


def test_style_and_scripts_are_named_by_their_digest_and_may_be_kept_for_ever(shared: House) -> None:
    named = {path.name for path in (FOLDER / "static").iterdir()}
    assert {"copy.js", "icon.svg", "pages.css", "progress.js", "receipt.css"} <= named
    for name in sorted(named):
        url, content = assets.url_of(name), (FOLDER / "static" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest()[:16] in url
        answer = shared.ask(None, url)
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("name", ["pages.css", "pages.0000000000000000.css", "..%2fwords%2fen%2flayout.toml", "%2e%2e/words.py"])
def test_nothing_else_is_served_from_the_package(shared: House, name: str) -> None:
    assert shared.ask(None, f"/static/{name}").status_code == 404


def test_no_style_fetches_anything() -> None:
    for path in (FOLDER / "static").glob("*.css"):
        assert not re.search(r"url\(|@import|@font-face", path.read_text(encoding="utf-8"))


def test_no_template_holds_a_style_a_script_or_an_address_elsewhere() -> None:
    for path in (FOLDER / "templates").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|<script(?![^>]* src=\")|\son[a-z]+=|https?://|\|\s*safe", text), path.name


def test_every_word_a_template_asks_for_is_there() -> None:
    for path in sorted((FOLDER / "templates").glob("*.html")):
        environment().get_template(path.name)  # it can be read
        for page, name in re.findall(r"\bsay\.(\w+)\.(\w+)", path.read_text(encoding="utf-8")):
            assert hasattr(words()[page], name), f"{path.name}: {page}.{name}"


def test_every_form_that_is_posted_by_whoever_signed_in_holds_the_token() -> None:
    before_signing_in = {"once.html", "sign_in.html"}
    for path in (one for one in (FOLDER / "templates").glob("*.html") if one.name not in before_signing_in):
        for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(encoding="utf-8"), re.DOTALL):
            assert '<input type="hidden" name="csrf" value="{{ csrf }}">' in form, path.name


def test_words_are_filled_in_and_a_missing_one_is_an_error() -> None:
    assert say("receipt", "receipt", number=7) == "Receipt 7"
    with pytest.raises(AttributeError, match="nowhere"):
        say("receipt", "nowhere")
    for path in (FOLDER / "words" / "en").glob("*.toml"):
        assert all(isinstance(one, str) and one for one in tomllib.loads(path.read_text(encoding="utf-8")).values())


@pytest.mark.parametrize(("number", "shown"), [(0.04, "0.0"), (-0.04, "0.0"), (-0.06, "-0.1"), (12.34, "+12.3")])
def test_points_that_round_to_nothing_have_no_sign(number: float, shown: str) -> None:
    assert points(number) == shown


def test_trouble_is_a_page_for_a_browser_and_a_problem_for_a_program(shared: House) -> None:
    page = shared.ask(Role.CLINICIAN, "/audit")
    assert (page.status_code, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "That is not for you" in page.text
    assert "<strong>A. Frey</strong>" in page.text
    assert "clinician may not: find and see any receipt, and replay it" in page.text
    assert len(page.content) == int(page.headers["content-length"])
    program = shared.ask(somebody(Role.CLINICIAN), "/v1/scores")
    assert program.headers["content-type"] == "application/problem+json"
    assert shared.ask(Role.AUDITOR, "/nowhere").headers["content-type"] == "text/html; charset=utf-8"
