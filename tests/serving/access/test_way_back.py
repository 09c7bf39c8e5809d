"""After signing in a browser goes on to a page of ours, and never elsewhere."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from serving.access.way_back import is_ours, sent_to_sign_in


@pytest.mark.parametrize("path", ["/", "/audit", "/audit/receipts/17", "/audit/attributions.csv"])
def test_our_own_paths_may_be_gone_back_to(path: str) -> None:
    assert is_ours(path)


@pytest.mark.parametrize(
    "path",
    [
        "//elsewhere.example",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "https://elsewhere.example",
        "javascript:alert(1)",
        "/%2F/elsewhere.example",
        "/audit/../..//elsewhere.example",
        "/\t/elsewhere.example",
        "/a\n",
        "/a?b=//elsewhere.example",
        "",
        "elsewhere",
        "/" + "a" * 300,
    ],
)
def test_what_may_be_read_as_another_host_is_none_of_our_paths(path: str) -> None:
    assert not is_ours(path)


@given(st.text(st.sampled_from("/\\.:?#@%a1-\t\n "), max_size=12))
def test_no_path_taken_for_ours_leads_elsewhere(path: str) -> None:
    if is_ours(path):
        assert urlsplit(urljoin("https://risk.example/sign-in/callback", path)).netloc == "risk.example"
        assert urljoin("https://risk.example/sign-in/callback", path) == f"https://risk.example{path}"


def test_a_browser_sent_to_sign_in_says_where_it_wanted_to_go() -> None:
    def sent(path: str) -> str:
        asking = HTTPConnection({"type": "http", "method": "GET", "path": path, "query_string": b"id=P-1", "headers": []})
        return sent_to_sign_in(asking).headers["location"]

    assert sent("/audit/receipts/7") == "/sign-in?to=/audit/receipts/7"
    assert sent("/") == "/sign-in"
    assert sent("//elsewhere.example") == "/sign-in"
