"""A stranger with a fuzzer reads the document of the service, and tries every operation with what it allows and forbids."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import schemathesis
from hypothesis import strategies as st
from marks import Mark
from schemathesis.config import HealthCheck, SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.specs.openapi.formats import register_string_format
from schemathesis.specs.openapi.schemas import OpenApiSchema
from starlette.applications import Starlette

from models.api_keys import make_key
from models.artifact import load
from models.identity import Role
from models.seal import Key
from serving.access.api_keys import ApiKeys
from serving.access.proofs import Proofs
from serving.app import create_app
from serving.receipts.archive import Archive
from serving.receipts.keys import ReceiptKeys
from serving.receipts.writer import open_writer
from training.progress import Advance, unwatched

MODEL = Path(__file__).parents[2] / "models" / "released" / "example"
SECONDS, CASES, REACHED = 300.0, 2_000, 0.20
SCORED = 0.10  # of the cases in which a patient must have been scored: a batch of nobody is answered with 200 too
SEED, EXAMPLES = 4, 200
SLOWEST = 10.0  # seconds; longer is a hang
SCORES = "POST /v1/scores"
SEALING = Key(b"of the exam, and of nobody else!")
# The only exemption of the project: no schema can say that a draw lies before the index date or that parts are no larger than
# their whole, so what fits the schema may still be refused with 422, and with nothing else.
ALSO_EXPECTED = "422"


@dataclass
class Fuzzed:
    """What became of the cases by operation and status, how many of them were scored, what was found, and what the cases were."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    scored: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        return self.statuses.total()

    def answers(self) -> dict[int, int]:
        """How often scores were asked for and answered with each status."""
        return {status: often for (label, status), often in self.statuses.items() if label == SCORES}

    def share(self, often: int) -> float:
        """The share of all that asked for scores, with forbidden documents too."""
        return often / max(sum(self.answers().values()), 1)

    def add(self, event: events.EngineEvent) -> None:
        """What one event of the fuzzer tells."""
        if isinstance(event, events.ScenarioFinished):
            for id, interaction in event.recorder.interactions.items():
                self._add_case(event, id, interaction.response)
        elif isinstance(event, events.NonFatalError):
            self.findings.append(f"{event.label}: {event.info.format()}")
        elif isinstance(event, events.FatalError):
            self.findings.append(f"the fuzzer itself failed: {event.exception!r}")

    def _add_case(self, event: events.ScenarioFinished, id: str, response: Response | None) -> None:
        label, status = event.recorder.cases[id].value.operation.label, response.status_code if response else 0
        self.statuses[label, status] += 1
        self.kinds[event.phase.value] += 1
        self.scored += label == SCORES and status == 200 and response is not None and b'"receipt"' in response.content
        for check in event.recorder.checks.get(id, []):
            if check.failure_info is not None:
                failure = check.failure_info.failure
                self.findings.append(f"{label}, {status}: {failure.title}: {failure.message}")


def sit(folder: Path, advance: Advance, seconds: float = SECONDS, cases: int = CASES, examples: int = EXAMPLES) -> list[Mark]:
    """The service of the model that comes with the product, its receipts in `folder`: one whole round, and more until the end."""
    keys, (access, key) = ReceiptKeys(SEALING), one_key(folder / "access")
    with open_writer(folder / "receipts", keys) as receipts:
        app = create_app(load(MODEL), receipts, access=access, archive=Archive.open(folder / "receipts", keys))
        found = fuzz(app, key, seconds, examples, advance)
    told = ", ".join(f"{often:,} {status}" for status, often in sorted(found.answers().items()))
    answered = found.share(found.answers().get(200, 0))
    return [
        Mark("cases", found.cases, least=cases, note=", ".join(f"{often:,} {kind}" for kind, often in found.kinds.items())),
        Mark("findings", len(found.findings), most=0, note=" | ".join(sorted(set(found.findings)))[:2000]),
        Mark("share of the cases of POST /v1/scores answered with 200", answered, least=REACHED, note=told),
        Mark("share of them in which a patient was scored", found.share(found.scored), least=SCORED),
    ]


def one_key(folder: Path) -> tuple[Proofs, str]:
    """An access by keys, and the one key that opens it to whatever the document tells of."""
    folder.mkdir()
    key, _ = make_key(folder, SEALING, "the fuzzer", [Role.CLINICIAN, Role.AUDITOR], "exam", 1, "the exam")
    return Proofs(ApiKeys(folder, SEALING)), key


def fuzz(app: Starlette, key: str, seconds: float = 0.0, examples: int = EXAMPLES, advance: Advance = unwatched) -> Fuzzed:
    """Everything that the document allows and forbids once, and documents drawn at random until so many seconds are over."""
    began, found, seed = monotonic(), Fuzzed(), SEED
    # Days lie together, as those of one patient do: among the dates of all centuries no draw is of its index date's month.
    register_string_format("date", _days())
    while seed == SEED or monotonic() - began < seconds:
        for event in from_schema(described(app, key, seed, examples)).execute():
            found.add(event)
        seed += 1
        advance("fuzzed", min(round(monotonic() - began), round(seconds)), round(seconds))
    return found


def described(app: Starlette, key: str, seed: int, examples: int) -> OpenApiSchema:
    """The document as schemathesis loads it, with every check switched on; what is enumerated is tried with the first seed."""
    # Health checks are about the effort of drawing, not about the service.
    config, proof = SchemathesisConfig(seed=seed, suppress_health_check=[HealthCheck.all]), {"Authorization": f"Bearer {key}"}
    project = config.projects.default
    project.update(headers=proof)
    project.checks.update(included_check_names=["all"], max_response_time=SLOWEST)
    expected = project.checks.positive_data_acceptance
    expected.expected_statuses = [*expected.expected_statuses, ALSO_EXPECTED]
    project.phases.fuzzing.generation.max_examples = examples
    project.phases.update(phases=["examples", "coverage", "fuzzing", "stateful"] if seed == SEED else ["fuzzing"])
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=config, headers=proof)


def _days() -> st.SearchStrategy[str]:
    one, month = "2026-11-20", st.integers(1, 20).map("2026-11-{:02d}".format)
    return st.one_of(st.just(one), st.just(one), month, st.dates().map(str))
