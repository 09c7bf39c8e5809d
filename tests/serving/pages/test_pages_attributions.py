"""Attributions on a page: who may look and what is recorded, what may be asked, of nobody alone, and nobody waits long."""

from __future__ import annotations

import html
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from models.artifact import Artifact
from models.example import EXAMPLE
from models.identity import Identity, Role
from serving import cli
from serving.pages import attributions
from serving.receipts.attributions import look as looking
from serving.receipts.attributions.look import look
from serving.receipts.record import BrokenReceipt

from .conftest import House, crowded, somebody

D, A = Role.DATA_SCIENTIST, Role.AUDITOR
PATH, CSV = "/audit/attributions", "/audit/attributions.csv"
SEPTEMBER = {"from": "2026-09-01", "to": "2026-09-30"}
OCTOBER = {"against_from": "2026-10-01", "against_to": "2026-10-31"}
TODAY = datetime.now(UTC).date()


def words(answer: httpx.Response) -> list[str]:
    """What a page says, piece by piece."""
    return [" ".join(html.unescape(one).split()) for one in re.findall(r">([^<]+)<", answer.text)]


def ask(house: House, given: Mapping[str, str], path: str = PATH, who: Identity | Role = D) -> httpx.Response:
    return house.ask(who, f"{path}?{httpx.QueryParams(given)}")


def test_without_a_question_there_is_a_form_with_thirty_days_and_the_horizons_of_the_model(many: House) -> None:
    before = len(many.notes)
    page = many.ask(D, PATH)
    assert page.status_code == 200
    assert f'value="{TODAY}"' in page.text
    assert f'value="{TODAY - timedelta(29)}"' in page.text
    served = many.app.state.layout.current.artifact.model.days
    assert [int(one) for one in re.findall(r'<option value="(\d+)"', page.text)] == list(served)
    assert '<option value="90" selected>' in page.text
    assert many.archive.models.digests() == [many.app.state.layout.current.artifact.digest]
    assert f'<option value="{many.archive.models.digests()[0]}">' in page.text
    assert "<table" not in page.text
    assert len(many.notes) == before


def test_the_address_of_the_question_is_what_the_form_shows_again(many: House) -> None:
    given = SEPTEMBER | OCTOBER | {"horizon": "180", "by": "tumour", "receipts": "all", "model": "0123abcd"}
    page = ask(many, given | {"against_model": "89abcdef"}).text
    for value in (*SEPTEMBER.values(), *OCTOBER.values(), "0123abcd", "89abcdef"):
        assert f'value="{value}"' in page
    for value in ("180", "tumour", "all"):
        assert f'<option value="{value}" selected>' in page


# nobody alone


def test_a_group_of_a_few_patients_is_told_together_with_another(many: House) -> None:
    page = ask(many, SEPTEMBER | {"by": "unit"})
    assert "together: Ward 3, Ward 7" in words(page)
    assert not {"Ward 3", "Ward 7", "3", "37"} & set(words(page))


def test_no_patient_and_no_receipt_is_named(many: House) -> None:
    page = ask(many, SEPTEMBER | OCTOBER | {"by": "unit"}).text + ask(many, SEPTEMBER | OCTOBER | {"by": "unit"}, CSV).text
    assert "c-9-" not in page
    assert "/audit/receipts" not in page
    for receipt in many.archive.scores():
        assert receipt.record.subject
        assert receipt.record.subject[:12] not in page
        assert receipt.record.digest[:12] not in page


# what may be asked


WRONG = {"from": "2026-02-30", "horizon": "0", "by": "patient", "receipts": "some", "model": "xyz", "against_model": "../.."}


@pytest.mark.parametrize("path", [PATH, CSV])
def test_every_field_at_fault_is_named_beside_itself_and_nothing_is_noted(many: House, path: str) -> None:
    before = len(many.notes)
    answer = ask(many, WRONG | {"c-9-1": "c-9-2"}, path)
    assert (answer.status_code, len(many.notes)) == (400, before)
    for name in WRONG:
        (told,) = re.findall(rf'<small class="bad" id="{name}-fault">Allowed is [^<]+</small>', answer.text)
        assert told
        (tag,) = re.findall(rf'<(?:input|select) id="{name}"[^>]*>', answer.text)
        assert f"{name}-fault" in tag
        assert 'aria-invalid="true"' in tag
        assert f'<a href="#{name}">' in answer.text
    assert answer.text.count('-fault">') == len(WRONG)
    assert "There is a field in the address that is none of this page" in answer.text
    assert "c-9-" not in answer.text
    assert 'role="alert"' in answer.text


def test_days_that_can_be_read_stay_in_the_form_when_something_else_is_wrong(many: House) -> None:
    page = ask(many, {"from": "2026-09-30", "to": "2026-09-01", "by": "tumour"})
    assert page.status_code == 400
    assert "Allowed is a day that is not after the last one." in page.text
    assert 'value="2026-09-30"' in page.text
    assert 'value="2026-09-01"' in page.text
    assert '<option value="tumour" selected>' in page.text


def test_two_models_are_held_against_each_other(many: House, loaded: Artifact, simulated: Artifact) -> None:
    days = {"from": "2026-09-01", "to": "2026-11-30"}
    page = words(ask(many, days | {"model": loaded.digest[:16], "against_model": simulated.digest}))
    told = " ".join(page)
    assert f"2026-09-01 to 2026-11-30, model {loaded.digest[:16]} (80 patients)" in told
    assert f"2026-09-01 to 2026-11-30, model {simulated.digest[:16]} (40)" in told
    assert "Left out: 40 of another model." in page
    assert "Left out: 90 of another model." in page
    assert "Risks and terms" in page


def test_too_few_to_hold_against_are_said_and_the_period_is_told_all_the_same(many: House) -> None:
    page = words(ask(many, SEPTEMBER | {"against_from": "2026-08-01", "against_to": "2026-08-31"}))
    assert "the one it is compared with: fewer than 10 patients with a risk within 90 days; at least 20 are needed" in page
    assert "By input, in log-odds" in page
    assert "Risks and terms" not in page


# who may look, and what is recorded of it


def test_it_is_for_those_who_may_see_many_patients(many: House) -> None:
    nobody = Identity("A. Frey", frozenset(), "", "key")
    for path in (PATH, CSV):
        seen = {role: ask(many, SEPTEMBER, path, role).status_code for role in Role}
        assert seen == {Role.CLINICIAN: 403, D: 200, A: 200, Role.ADMINISTRATOR: 200}
        assert ask(many, SEPTEMBER, path, nobody).status_code == 403
        assert "mean" not in ask(many, SEPTEMBER, path, Role.CLINICIAN).text


def test_the_question_is_noted_field_by_field(many: House) -> None:
    before = len(many.notes)
    ask(many, SEPTEMBER | OCTOBER | {"by": "unit"})
    ask(many, SEPTEMBER, CSV, A)
    fields = SEPTEMBER | {"horizon": "90", "receipts": "last"}
    assert [one for one in many.notes[before:] if one[0] != "was denied"] == [
        ("looked at attributions", fields | OCTOBER | {"by": "unit"}),
        ("took attributions away", fields | {"format": "csv"}),
    ]
    noted = many.ask(A, "/audit?show=access").text
    assert "A. Frey (data scientist) looked at attributions (" in noted


def test_nothing_is_shown_that_cannot_be_noted(
    loaded: Artifact, simulated: Artifact, simulated_folder: Path, tmp_path: Path
) -> None:
    with crowded(loaded, simulated, simulated_folder, tmp_path) as house:
        house.writer.close()
        for path in (PATH, CSV):
            answer = ask(house, SEPTEMBER, path)
            assert (answer.status_code, "nutrition" in answer.text) == (503, False)
            assert "could not be recorded" in answer.text


def test_answers_of_simulated_patients_are_marked_whatever_model_answers_now(
    loaded: Artifact, simulated: Artifact, model_folder: Path, tmp_path: Path
) -> None:
    with crowded(simulated, loaded, model_folder, tmp_path) as house:
        assert EXAMPLE in words(ask(house, SEPTEMBER))
        assert EXAMPLE in ask(house, SEPTEMBER, CSV).text
        assert EXAMPLE not in ask(house, {"from": "2026-11-01", "to": "2026-11-30"}).text


# the numbers taken away


@pytest.mark.parametrize("given", [SEPTEMBER | {"by": "tumour"}, SEPTEMBER | OCTOBER | {"receipts": "all", "horizon": "180"}])
def test_the_command_that_the_page_names_writes_the_same_table(many: House, given: dict[str, str], tmp_path: Path) -> None:
    (command,) = re.findall(r"<code>lymphorisk (audit attributions [^<]+)</code>", ask(many, given).text)
    kept = ["--receipts", str(many.archive.folder), "--receipts-key", str(many.archive.folder.parent / "receipts.key")]
    cli.mount(app := typer.Typer())
    ran = CliRunner().invoke(app, [*shlex.split(command), *kept, "--out", str(tmp_path / "out.csv")])
    assert ran.exit_code == 0, ran.output
    answer = ask(many, given, CSV)
    assert answer.content == (tmp_path / "out.csv").read_bytes()
    assert answer.headers["content-disposition"] == f'attachment; filename="attributions-{TODAY}.csv"'
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_links_to_its_own_numbers(many: House) -> None:
    given = SEPTEMBER | OCTOBER | {"by": "ca19-9"}
    (way,) = re.findall(r'href="(/audit/attributions\.csv\?[^"]+)"', ask(many, given).text)
    assert many.ask(D, way.replace("&amp;", "&")).text == ask(many, given, CSV).text


# nobody waits long


def test_what_a_page_does_not_read_is_said_with_the_way_to_all_of_it(many: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributions, "RECEIPTS", 25)
    answer = ask(many, SEPTEMBER)
    assert "Not everything was read" in answer.text
    assert "what was written from 2026-09-10 12:00:00 (UTC) on is left out" in answer.text
    assert "told of 25 patients" in answer.text
    assert "lymphorisk audit attributions --from 2026-09-01" in answer.text
    assert "not read from" in ask(many, SEPTEMBER, CSV).text


def test_one_is_computed_at_a_time_and_whoever_comes_meanwhile_is_told_when_to_come_back(
    many: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, going_on = threading.Event(), threading.Event()

    def slow(*given: Any, **named: Any) -> Any:
        begun.set()
        assert going_on.wait(30)
        return look(*given, **named)

    monkeypatch.setattr(looking, "look", slow)
    first: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: first.append(ask(many, SEPTEMBER)))
    thread.start()
    assert begun.wait(30)
    noted = len(many.notes)
    for path in (PATH, CSV):
        answer = ask(many, SEPTEMBER, path, A)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert "ask again in 10 seconds" in answer.text
    assert many.ask(A, PATH).status_code == 200  # the form is there meanwhile
    assert len(many.notes) == noted
    going_on.set()
    thread.join()
    assert first[0].status_code == 200
    assert ask(many, SEPTEMBER).status_code == 200


def test_after_one_that_failed_another_is_computed(many: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> Any:
        raise BrokenReceipt("record 3 was altered")

    with monkeypatch.context() as patch:
        patch.setattr(looking, "look", broken)
        answer = ask(many, SEPTEMBER)
        assert (answer.status_code, "the receipts cannot be read: record 3 was altered" in answer.text) == (503, True)
    assert ask(many, SEPTEMBER).status_code == 200


def test_a_worker_that_scores_loads_no_statistics() -> None:
    asking = "import sys, serving.pages.joined; print([one for one in sys.modules if 'attributions' in one])"
    found = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "['serving.pages.attributions']"


def test_the_way_there_stands_in_the_navigation_of_those_who_may(many: House) -> None:
    for role in (D, A, Role.ADMINISTRATOR):
        assert f'<a href="{PATH}">Attributions</a>' in many.ask(somebody(role), "/").text
    assert PATH not in many.ask(Role.CLINICIAN, "/").text
