"""What each role may do, and what each route asks for: one table for the door and for the tests; what is not in it is denied."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from models.identity import Identity, Role

C, D, A, M = Role.CLINICIAN, Role.DATA_SCIENTIST, Role.AUDITOR, Role.ADMINISTRATOR


class Action(StrEnum):
    """What may be asked for; `OPEN` needs no identity, `LEAVE` no role, everything else needs one."""

    OPEN = "be told that the service lives, or how to sign in"
    LEAVE = "sign off"
    KNOW = "be told who one is, how to ask, and what the model is"
    SCORE = "score a patient"
    SEE_OWN = "see a receipt of one's own unit"
    SEE_ALL = "find and see any receipt, and replay it"
    EXPORT = "take receipts away"
    VERIFY = "have the receipts verified"
    AGGREGATE = "see attributions and shifts of many patients, without any one of them"
    WATCH = "read the metrics"


MAY: Mapping[Action, frozenset[Role]] = {
    Action.KNOW: frozenset(Role),
    Action.SCORE: frozenset({C}),
    Action.SEE_OWN: frozenset({C, A}),
    Action.SEE_ALL: frozenset({A}),
    Action.EXPORT: frozenset({A}),
    Action.VERIFY: frozenset({A, M}),
    Action.AGGREGATE: frozenset({D, A, M}),
    Action.WATCH: frozenset({M}),
}
PROGRAMS = ("/v1/", "/fhir/", "/cds-services")  # paths that programs ask, and that answer in no page
ROUTES: Mapping[tuple[str, str], Action] = {  # method and path as the application knows them
    ("GET", "/livez"): Action.OPEN,
    ("GET", "/readyz"): Action.OPEN,
    ("GET", "/metrics"): Action.WATCH,
    ("GET", "/openapi.json"): Action.KNOW,
    ("GET", "/v1/me"): Action.KNOW,
    ("GET", "/v1/model"): Action.KNOW,
    ("POST", "/v1/scores"): Action.SCORE,
    ("GET", "/v1/receipts/{sequence}"): Action.SEE_OWN,
    ("GET", "/static/{name}"): Action.OPEN,
    ("GET", "/sign-in"): Action.OPEN,
    ("GET", "/sign-in/once"): Action.OPEN,
    ("POST", "/sign-in/once"): Action.OPEN,
    ("GET", "/sign-in/start"): Action.OPEN,
    ("GET", "/sign-in/callback"): Action.OPEN,
    ("POST", "/sign-out"): Action.LEAVE,
    ("GET", "/"): Action.KNOW,
    ("GET", "/fhir/metadata"): Action.OPEN,
    ("POST", "/fhir/$early-mortality"): Action.SCORE,
    ("GET", "/cds-services"): Action.OPEN,
    ("POST", "/cds-services/early-mortality"): Action.SCORE,
    ("POST", "/cds-services/early-mortality/feedback"): Action.SCORE,
    ("GET", "/patient"): Action.SCORE,
    ("POST", "/patient"): Action.SCORE,
    ("GET", "/patient/{sequence}"): Action.SEE_OWN,
    ("GET", "/audit"): Action.SEE_ALL,
    ("POST", "/audit/patient"): Action.SEE_ALL,
    ("GET", "/audit/mine"): Action.SEE_OWN,
    ("GET", "/audit/receipts"): Action.SEE_OWN,
    ("GET", "/audit/receipts/{sequence}"): Action.SEE_OWN,
    ("GET", "/audit/receipts/{sequence}/print"): Action.SEE_ALL,
    ("GET", "/audit/receipts/{sequence}/json"): Action.EXPORT,
    ("POST", "/audit/receipts/{sequence}/replay"): Action.SEE_ALL,
    ("GET", "/audit/verification"): Action.VERIFY,
    ("POST", "/audit/verification"): Action.VERIFY,
    ("GET", "/audit/verification/progress"): Action.VERIFY,
    ("GET", "/audit/attributions"): Action.AGGREGATE,
    ("GET", "/audit/attributions.csv"): Action.AGGREGATE,
    ("GET", "/audit/response"): Action.AGGREGATE,
    ("GET", "/audit/export"): Action.EXPORT,
    ("POST", "/audit/export"): Action.EXPORT,
}


def may(identity: Identity, action: Action) -> bool:
    """Whether any role of the identity may do that."""
    return action in (Action.OPEN, Action.LEAVE) or not identity.roles.isdisjoint(MAY[action])
