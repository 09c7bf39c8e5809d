"""The model's response on a page: for data scientists and auditors, never beside a patient, with a table beside the picture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from models.identity import Role
from models.response import responses
from serving.pages.response import table

from .conftest import DESK, PHONE, WHOLE, WIDER, House, entered, listening, violations


def test_a_clinician_does_not_see_it_and_no_patient_s_page_leads_there(shared: House) -> None:
    assert shared.ask(Role.CLINICIAN, "/audit/response").status_code == 403
    assert "/audit/response" not in shared.ask(Role.CLINICIAN, f"/patient/{WHOLE}").text


@pytest.mark.parametrize(("asked", "told"), [("", "90"), ("?horizon=30", "30"), ("?horizon=91", "90"), ("?horizon=x", "90")])
def test_the_curves_are_those_of_the_model_at_the_horizon_asked_for(shared: House, asked: str, told: str) -> None:
    answer = shared.ask(Role.DATA_SCIENTIST, f"/audit/response{asked}")
    assert answer.status_code == 200
    assert f"within {told} days" in answer.text
    assert shared.notes[-1][0] == "viewed the model's response"


def test_every_risk_of_the_table_is_the_model_s(shared: House) -> None:
    model = shared.app.state.layout.current.artifact.model
    curves = responses(model)
    rows = table(model, curves, 90)
    told = [risk for _, risks in rows for risk in risks if risk is not None]
    assert told
    column = model.days.index(90)
    for alc, risks in rows:
        for curve, risk in zip(curves, risks, strict=True):
            inside = len(curve.alc) > 0 and bool(curve.alc[0] <= float(alc) <= curve.alc[-1])
            assert (risk is not None) is inside
            if risk is not None:
                place = int(abs(curve.alc - float(alc)).argmin())
                assert (curve.alc[place], curve.risk[place, column]) == (pytest.approx(float(alc)), risk)


@pytest.fixture(scope="module")
def url(shared: House) -> Iterator[str]:
    with listening(shared) as at:
        yield at


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_fits_and_axe_finds_nothing_wrong_with_it(browser: Browser, url: str, size: tuple[int, int]) -> None:
    with entered(browser, url, Role.AUDITOR, size) as page:
        page.goto("/audit/response")
        assert violations(page) == []
        assert page.evaluate(WIDER) == []
