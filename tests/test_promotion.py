"""From a trained model to patients and back: promote, score, roll back, and whatever is moved by hand is refused."""

from __future__ import annotations

import copy
import json
import multiprocessing
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import lymphorisk
from models import artifact, release
from models.durable import Busy
from models.ledger import LEDGER, read_ledger
from models.release import CHAMPION, resolve
from models.seal_key import read_or_make_key
from training.commands.given import folder_of
from training.gate.gate import Candidate
from training.gate.history import history
from training.gate.parity import by_training
from training.gate.parity_patients import MadeUp
from training.gate.paths import Risks
from training.gate.promote import Claim, Done, NotPromoted, promote, rollback
from training.gate.store import Store
from training.refused import NotSupported
from training.study.criteria import Criteria
from training.telling.card import card_files
from training.telling.evidence import evidence_files, read_evidence
from training.tracking.champion import Registry
from training.tracking.mlflow_store import client_of

CLAIM = Claim("A. Frey", "B. Olsen", "first model for the clinic")
BARS = Criteria(
    intercept=(-2.0, 2.0), slope=(0.2, 4.0), observed_expected=(0.4, 2.5), strata_observed_expected=(0.1, 9.0),
    least_auc_gain_over={"albumin_alone": -0.5, "cox_four": -0.5, "champion": -0.02},
)  # fmt: skip
FINDING = {
    **{"item": "time origin", "domain": "participants", "question": "One?", "verdict": "Pass", "number": 0},
    **{"why": "", "rows": [], "rows_at_fault": 0, "accepted": ""},
}


def same(folder: Path, asked: MadeUp) -> Risks:
    """A path that says what training says: the true ones take seconds, and are tried once below."""
    return by_training(artifact.load(folder), asked)


@pytest.fixture(scope="module")
def models(trained_there: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two promotable models that differ in their name, with the evidence of the trained one, a diagnosis and declared bars."""
    known, evidence = artifact.load(trained_there), copy.deepcopy(read_evidence(trained_there))
    findings = {"cohort": "north", "against": "", "fails": 0, "unknown": 0, "passes": 1, "findings": [FINDING]}
    gate = json.loads(json.dumps(BARS.as_json()))
    evidence |= {"diagnosis.json": findings, "study.json": {"name": "a study", "digest": "0" * 64, "gate": gate, "card": {}}}
    files = evidence_files(evidence) | card_files(evidence)
    made = []
    for name in ("first", "second"):
        made.append(tmp_path_factory.mktemp("candidates") / name)
        artifact.save(replace(known.model, name=name), made[-1], files=files, provenance=known.provenance)
    return made


@pytest.fixture(scope="module")
def undiagnosed(trained_there: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained model without its diagnosis."""
    known, evidence = artifact.load(trained_there), read_evidence(trained_there)
    evidence.pop("diagnosis.json", None)
    folder = tmp_path_factory.mktemp("undiagnosed") / "model"
    artifact.save(known.model, folder, files=evidence_files(evidence) | card_files(evidence), provenance=known.provenance)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store, and an MLflow that has none of the models."""
    registry = Registry(f"sqlite:///{tmp_path / 'none.db'}", "lymphorisk")
    return Store(tmp_path / "releases", read_or_make_key(None, lambda said: None), registry)


@pytest.fixture
def in_mlflow(tmp_path: Path, models: list[Path]) -> Registry:
    """Both models as versions 1 and 2 of a registered model."""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = client_of(uri)
    client.create_registered_model("lymphorisk")
    for place, folder in enumerate(models):
        logged = tmp_path / f"logged-{place}"
        shutil.copytree(folder, logged / "artifacts" / "model")
        client.create_model_version("lymphorisk", logged.as_uri(), tags={"lymphorisk.digest": artifact.load(folder).digest})
    return Registry(uri, "lymphorisk")


def digest(folder: Path) -> str:
    return artifact.load(folder).digest


def put(store: Store, folder: Path, claim: Claim = CLAIM) -> Done:
    return promote(Candidate.read(folder), "", claim, store, None, {"a path": same})


def put_next(store: Store, models: list[Path]) -> None:
    """Promotes the second model without a test cohort, as if the gate had passed it."""
    from training.gate import promote as module

    found = module.judge_candidate(Candidate.read(models[1]), None, None, {"a path": same})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "judge_candidate", lambda *_: found)
        put(store, models[1], Claim("C. Ruiz", "B. Olsen", "newer patients"))


def put_second(store: Store, models: list[Path]) -> None:
    """Two promotions."""
    put(store, models[0])
    put_next(store, models)


def test_a_promoted_model_is_released_recorded_and_scored(store: Store, models: list[Path]) -> None:
    done = put(store, models[0])
    found = resolve(store.root, store.key)
    assert found.digest == digest(models[0])
    facts = done.entry.facts
    assert (facts["by"], facts["approved_by"], facts["reason"], facts["previous"]) == (*CLAIM.said.values(), None)
    assert facts["claims"] == "the names are what the person at the keyboard said"
    assert {"evaluation.json", "diagnosis.json", "study.json"} <= set(facts["evidence"])
    assert all(one["holds"] for one in facts["criteria"])
    assert facts["parity"]["patients"] == 60
    assert "no alias was moved" in done.alias


@pytest.mark.parametrize(
    ("by", "other", "reason", "said"),
    [
        ("A. Frey", "A. Frey", "x", "both A. Frey: whoever promotes does not approve"),
        ("A. Frey", "  a.  FREY ", "x", "whoever promotes does not approve"),
        ("A. Frey", "\uff21. Frey", "x", "whoever promotes does not approve"),  # a full-width A
        ("", "B. Olsen", "x", "--by is empty"),
        ("A. Frey", " ", "x", "--approved-by is empty"),
        ("A. Frey", "B. Olsen", "", "--reason is empty"),
        ("A. Frey", "B. Olsen", "x\x1b[2J", "--reason holds a control character"),
        ("A. Frey\nB", "B. Olsen", "x", "--by holds a control character"),
    ],
)
def test_two_people_and_a_reason_are_needed(by: str, other: str, reason: str, said: str) -> None:
    with pytest.raises(NotSupported, match=said):
        Claim(by, other, reason)


def test_other_verbs_take_the_champion_of_the_releases_too(store: Store, models: list[Path]) -> None:
    put(store, models[0])
    with folder_of(str(store.root), "") as folder:
        assert folder == store.root / digest(models[0])
    (store.root / CHAMPION).unlink()
    with pytest.raises(release.InvalidRelease, match=r"champion\.json is missing"), folder_of(str(store.root), ""):
        pass


def test_a_model_that_fails_leaves_nothing_behind(store: Store, undiagnosed: Path) -> None:
    with pytest.raises(NotPromoted, match=r"not promoted: .*diagnosis") as refused:
        put(store, undiagnosed)
    assert len(refused.value.judged.verdicts) > len(refused.value.judged.fails)
    assert not (store.root / LEDGER).exists()
    assert not (store.root / digest(undiagnosed)).exists()


def test_the_example_model_is_never_promoted(store: Store) -> None:
    with pytest.raises(NotPromoted, match="not simulated"):
        put(store, Path(lymphorisk.__file__).parent / "models" / "released" / "example")


def test_a_champion_is_not_replaced_without_a_test_cohort(store: Store, models: list[Path]) -> None:
    put(store, models[0])
    with pytest.raises(NotPromoted, match="test cohort"):
        put(store, models[1])
    assert resolve(store.root, store.key).model.name == "first"


def test_rollback_brings_the_model_before_back_and_is_recorded(store: Store, models: list[Path]) -> None:
    put_second(store, models)
    assert resolve(store.root, store.key).model.name == "second"
    done = rollback(Claim("B. Olsen", "A. Frey", "too many warnings"), store)
    assert resolve(store.root, store.key).model.name == "first"
    assert (done.entry.kind, done.entry.facts["previous"]) == ("rolled back", digest(models[1]))
    with pytest.raises(NotSupported, match="was the first to be promoted: there is nothing before it"):
        rollback(CLAIM, store)
    rollback(CLAIM, store, digest(models[1])[:12])
    assert resolve(store.root, store.key).model.name == "second"


@pytest.mark.parametrize("to", ["", "0" * 64, "abc"])
def test_rollback_goes_to_a_release_and_nowhere_else(store: Store, models: list[Path], to: str) -> None:
    put_second(store, models)
    with pytest.raises(NotSupported, match=r"allowed is the digest of a release"):
        rollback(CLAIM, store, to)
    with pytest.raises(NotSupported, match="is the champion"):
        rollback(CLAIM, store, digest(models[1]))


def test_history_tells_names_that_nobody_proved_as_claimed_and_the_ledger_verifies(store: Store, models: list[Path]) -> None:
    put(store, models[0])
    shown = (("by", "A. Frey", 1), ("approved_by", "B. Olsen", 2))
    proved = {name: {"name": person, "by": f"key:{prefix}"} for name, person, prefix in shown}
    put_next(store, models)
    rollback(Claim("A. Frey", "B. Olsen", "again", proved), store)
    found = history(store)
    assert found.faults == ()
    lines = found.text().splitlines()
    assert ["A. Frey (claimed)" in lines[1], "B. Olsen (claimed)" in lines[1]] == [True, True]
    assert ["A. Frey (key:1)" in lines[3], "B. Olsen (key:2)" in lines[3], "claimed" in lines[3]] == [True, True, False]


def test_rollback_of_nothing_is_refused(store: Store) -> None:
    with pytest.raises(NotSupported, match="nothing was ever promoted"):
        rollback(CLAIM, store)


def test_promoting_the_champion_again_changes_nothing(store: Store, models: list[Path]) -> None:
    put(store, models[0])
    with pytest.raises(NotSupported, match="is the champion already"):
        put(store, models[0])
    assert len(read_ledger(store.root, store.key)) == 1


class Killed(Exception):
    """As if the process had been killed here."""


def dying_at(step: str, patch: pytest.MonkeyPatch) -> None:
    """Lets a step of the promotion be the last that is reached, and not done."""
    from training.gate import promote as module

    def killed(*_: object) -> None:
        raise Killed

    where = {"keep": release, "append": module, "_move_alias": Store, "point": release}[step]
    patch.setattr(where, step, killed)


@pytest.mark.parametrize("step", ["keep", "append", "_move_alias", "point"])
def test_a_promotion_killed_at_any_step_is_finished_by_the_same_command(
    store: Store, models: list[Path], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patch:
        dying_at(step, patch)
        with pytest.raises(Killed):
            put(store, models[0])
    with pytest.raises(release.BrokenSeal, match=r"is no folder of releases|champion\.json is missing"):
        resolve(store.root, store.key)
    put(store, models[0])
    assert resolve(store.root, store.key).model.name == "first"
    assert len(read_ledger(store.root, store.key)) == 1


@pytest.mark.parametrize("step", ["append", "_move_alias", "point"])
def test_a_rollback_killed_at_any_step_is_finished_by_the_same_command(
    store: Store, models: list[Path], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    put_second(store, models)
    with monkeypatch.context() as patch:
        dying_at(step, patch)
        with pytest.raises(Killed):
            rollback(CLAIM, store)
    if step != "append":
        with pytest.raises(release.InvalidRelease, match="the last promotion was not finished"):
            resolve(store.root, store.key)
    rollback(CLAIM, store)
    assert resolve(store.root, store.key).model.name == "first"
    assert [entry.kind for entry in read_ledger(store.root, store.key)] == ["promoted", "promoted", "rolled back"]


def test_a_pointer_moved_by_hand_is_set_right_by_promoting_the_champion_again(store: Store, models: list[Path]) -> None:
    put_second(store, models)
    path = store.root / CHAMPION
    path.write_text(path.read_text().replace(digest(models[1]), digest(models[0])))
    with pytest.raises(release.InvalidRelease, match="the pointer was moved by hand"):
        resolve(store.root, store.key)
    assert any("the pointer was moved by hand" in fault for fault in history(store).faults)
    assert put(store, models[1]).finished
    assert resolve(store.root, store.key).model.name == "second"


def test_only_one_person_promotes_at_a_time(store: Store, models: list[Path]) -> None:
    with store.alone(), pytest.raises(Busy, match="somebody else is at work here"):
        put(store, models[0])
    put(store, models[0])


def _try(root: Path, key: Path, folder: Path, results: Any) -> None:
    registry = Registry("sqlite:////nowhere/none.db", "lymphorisk")
    mine = Store(root, read_or_make_key(key, lambda said: None), registry)
    try:
        promote(Candidate.read(folder), "", CLAIM, mine, None, {"a path": same})
        results.put("promoted")
    except (Busy, NotPromoted, NotSupported) as refused:
        results.put(type(refused).__name__)


def test_of_two_promotions_at_the_same_time_one_is_refused(store: Store, models: list[Path], seal_key: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    both = [context.Process(target=_try, args=(store.root, seal_key, folder, results)) for folder in models]
    for one in both:
        one.start()
    found = sorted(results.get(timeout=120) for _ in both)
    for one in both:
        one.join(60)
    assert found.count("promoted") == 1, found
    assert set(found) <= {"promoted", "Busy", "NotPromoted"}
    assert len(read_ledger(store.root, store.key)) == 1
    resolve(store.root, store.key)


def test_the_alias_follows_the_champion_there_and_back(store: Store, models: list[Path], in_mlflow: Registry) -> None:
    tracked = replace(store, registry=in_mlflow)
    put_second(tracked, models)
    assert in_mlflow.champion() == digest(models[1])
    rollback(CLAIM, tracked)
    assert in_mlflow.champion() == digest(models[0])
    assert history(tracked).faults == ()


def test_an_alias_moved_by_hand_is_found_and_set_right(store: Store, models: list[Path], in_mlflow: Registry) -> None:
    tracked = replace(store, registry=in_mlflow)
    put_second(tracked, models)
    client_of(in_mlflow.uri).set_registered_model_alias("lymphorisk", "champion", "1")
    (fault,) = history(tracked).faults
    assert "the alias champion of lymphorisk in MLflow names" in fault
    assert put(tracked, models[1]).finished
    assert history(tracked).faults == ()


def test_a_champion_that_is_in_no_registry_takes_the_alias_away(store: Store, models: list[Path], in_mlflow: Registry) -> None:
    tracked = replace(store, registry=in_mlflow)
    put(tracked, models[0])
    client_of(in_mlflow.uri).delete_model_version("lymphorisk", "2")
    put_next(tracked, models)
    assert in_mlflow.champion() == ""
    assert history(tracked).faults == ()
    assert rollback(CLAIM, tracked).alias == "the alias champion of lymphorisk names version 1"


def test_ledger_head_and_pointer_put_back_together_are_found_out_by_mlflow(
    store: Store, models: list[Path], in_mlflow: Registry, tmp_path: Path
) -> None:
    tracked = replace(store, registry=in_mlflow)
    put(tracked, models[0])
    older = shutil.copytree(store.root, tmp_path / "older")
    put_next(tracked, models)
    shutil.rmtree(store.root)
    shutil.copytree(older, store.root)
    assert any("an older copy was put back" in fault for fault in history(tracked).faults)
    with pytest.raises(release.InvalidRelease, match=r"the tag of lymphorisk in MLflow knows of entry 2, .* ends at 1"):
        rollback(CLAIM, tracked)


def edit(root: Path, earlier: str) -> None:
    (root / LEDGER).write_bytes((root / LEDGER).read_bytes().replace(b"newer", b"older"))


def cut(root: Path, earlier: str) -> None:
    (root / LEDGER).write_bytes((root / LEDGER).read_bytes().splitlines(keepends=True)[0])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (edit, "line 2 was altered"),
        (cut, "the last lines were removed"),
        (lambda root, earlier: (root / earlier / "card.md").write_bytes(b"# better"), r"card\.md differs"),
        (lambda root, earlier: shutil.rmtree(root / earlier), r"no manifest\.json"),
        (lambda root, earlier: (root / CHAMPION).unlink(), r"champion\.json is missing"),
    ],
)
def test_history_says_what_does_not_verify(
    store: Store, models: list[Path], damage: Callable[[Path, str], object], said: str
) -> None:
    put_second(store, models)
    assert history(store).faults == ()
    damage(store.root, digest(models[0]))
    assert any(re.search(said, fault) for fault in history(store).faults)


def run(*arguments: object) -> Any:
    return CliRunner().invoke(lymphorisk.app, [str(one) for one in arguments])


def two_keys(folder: Path, by: str = "data scientist", approves: str = "administrator") -> list[object]:
    """Options that show the API keys of two people."""
    access = ["--access", folder / "access", "--access-key", folder / "access.key"]
    shown = (("--by-key", "A. Frey", by), ("--approved-by-key", "B. Olsen", approves))
    found = list(access)
    for option, name, role in shown:
        path = folder / f"{option.strip('-')}.{len(list(folder.iterdir()))}"
        made = run("keys", "add", name, "--role", role, "--unit", "x", "--out", path, *access)
        assert made.exit_code == 0, made.output
        found += [option, path]
    return found


@pytest.mark.parametrize(
    ("by", "approves", "said"),
    [
        ("clinician", "administrator", "--by-key: allowed is the key of one who is data scientist"),
        ("administrator", "administrator", "--by-key: allowed is the key of one who is data scientist"),
        ("data scientist", "data scientist", "--approved-by-key: allowed is the key of one who is administrator or auditor"),
    ],
)
def test_each_of_the_two_has_the_role_that_it_takes(undiagnosed: Path, tmp_path: Path, by: str, approves: str, said: str) -> None:
    found = run("promote", undiagnosed, "--reason", "C", *two_keys(tmp_path, by, approves), "--releases", tmp_path / "releases")
    assert (found.exit_code, said in found.stderr) == (1, True), found.stderr
    assert not (tmp_path / "releases").exists()


@pytest.mark.parametrize(
    ("by", "approves", "said"),
    [
        ("data scientist", "auditor", "one of the two has to be of an administrator"),
        ("administrator", "data scientist", "--approved-by-key: allowed is the key of one who is administrator or auditor"),
        ("administrator", "auditor", "holds no ledger"),  # the two are right, and there is nothing to go back to
        ("data scientist", "administrator", "holds no ledger"),
    ],
)
def test_one_of_the_two_who_roll_back_is_an_administrator(tmp_path: Path, by: str, approves: str, said: str) -> None:
    found = run("rollback", "--reason", "too many warnings", *two_keys(tmp_path, by, approves), "--releases", tmp_path / "none")
    assert (found.exit_code, said in found.stderr) == (1, True), found.stderr


def test_names_alone_promote_nothing_and_neither_does_one_key_twice_or_one_taken_back(undiagnosed: Path, tmp_path: Path) -> None:
    keys = two_keys(tmp_path, approves="auditor")
    where, by, other = keys[:4], keys[5], keys[7]
    asked = ("promote", undiagnosed, "--reason", "C", "--releases", tmp_path / "releases", *where)
    found = run(*asked, "--by", "A. Frey")
    assert (found.exit_code, "--by-key: allowed is a file that holds a good API key" in found.stderr) == (1, True)
    assert "--approved-by-key" in found.stderr
    both = run("keys", "add", "C. Ruiz", "--role", "data scientist", "--role", "auditor", "--out", tmp_path / "both", *where)
    assert both.exit_code == 0
    found = run(*asked, "--by-key", tmp_path / "both", "--approved-by-key", tmp_path / "both")
    assert (found.exit_code, "whoever promotes does not approve" in found.stderr) == (1, True)
    listed = json.loads(run("keys", "list", "--json", *where).stdout)
    assert run("keys", "revoke", listed[0]["prefix"], "--reason", "left", *where).exit_code == 0
    found = run(*asked, "--by-key", by, "--approved-by-key", other)
    assert (found.exit_code, "--by-key: allowed is a file that holds a good API key" in found.stderr) == (1, True)
    assert "--approved-by-key: allowed" not in found.stderr


def test_the_whole_trip_by_the_commands(
    models: list[Path], hospitals: tuple[Path, Path], in_mlflow: Registry, tmp_path: Path
) -> None:
    """Every path of the parity certificate is the true one here, and the second model is judged on another hospital."""
    where = ["--releases", tmp_path / "releases", "--tracking-uri", in_mlflow.uri]
    who = ["--reason", "for the clinic", *two_keys(tmp_path)]
    dry = run("promote", "1", "--by", "A. Frey", "--reason", "a try", *where, "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    parity = json.loads(dry.stdout)["parity"]
    assert parity["differs"] == {"file": "", "HTTP": "", "pyfunc": ""}
    assert parity["patients"] >= 50
    assert not (tmp_path / "releases").exists()

    first = run("promote", "1", *who, *where, "--json")
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["alias"] == "the alias champion of lymphorisk names version 1"

    again = ["--test", hospitals[1], "--development", hospitals[0], "--bootstrap", "100"]
    tried = run("promote", "2", *who, *where, *again, "--dry-run")
    assert "Look 1 at this cohort" in tried.stderr
    second = run("promote", "models:/lymphorisk/2", *who, *where, *again)
    assert second.exit_code == 0, second.output
    assert "AUC gained over the champion, on south" in second.stdout
    assert "promoted " + digest(models[1]) in second.stdout

    out = tmp_path / "scores.ndjson"
    scored = run("score", tmp_path / "releases", hospitals[1], "--out", out)
    assert scored.exit_code == 0, scored.output
    told = json.loads(out.read_text().splitlines()[0])["model"]
    assert (told["digest"], told["release"]["version"]) == (digest(models[1]), "2")

    back = run("rollback", *who, *where)
    assert back.exit_code == 0, back.output
    found = run("history", *where, "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert [one["kind"] for one in told["entries"]] == ["promoted", "look", "look", "promoted", "rolled back"]
    shown = [one["facts"]["proved"] for one in told["entries"] if one["kind"] != "look"]
    assert all((one["by"]["name"], one["approved_by"]["roles"]) == ("A. Frey", ["administrator"]) for one in shown)
    assert all(one["by"]["by"].startswith("key:") for one in shown)
    assert "A. Frey (key:" in run("history", *where).stdout
    assert (told["verifies"], told["champion"]) == (True, digest(models[0]))

    alias = ["models:/lymphorisk@champion", hospitals[1], "--out", out, *where]
    assert run("score", *alias).exit_code == 0
    client_of(in_mlflow.uri).set_registered_model_alias("lymphorisk", "champion", "2")
    refused = run("score", *alias)
    assert (refused.exit_code, "the alias was moved by hand" in refused.stderr) == (1, True)

    champion = tmp_path / "releases" / CHAMPION
    champion.write_text(champion.read_text().replace(digest(models[0]), digest(models[1])))
    assert run("history", *where).exit_code == 1
    refused = run("score", tmp_path / "releases", hospitals[1], "--out", out)
    assert (refused.exit_code, "moved by hand" in refused.stderr) == (1, True)


def test_a_refused_promotion_tells_every_criterion_and_fails(undiagnosed: Path, tmp_path: Path) -> None:
    where = ["--releases", tmp_path / "releases", "--tracking-uri", f"sqlite:///{tmp_path / 'none.db'}"]
    found = run("promote", undiagnosed, "--reason", "C", *two_keys(tmp_path), *where)
    assert found.exit_code == 1
    assert "FAILS  diagnosis, the artifact" in found.stdout
    assert "holds  parity, every path" in found.stdout
    assert "not promoted: " in found.stderr
    assert not (tmp_path / "none.db").exists()


def test_history_of_a_folder_without_a_ledger_is_refused(tmp_path: Path) -> None:
    found = run("history", "--releases", tmp_path)
    assert (found.exit_code, "holds no ledger" in found.stderr) == (1, True)
