"""The names of CDS Hooks in one place, so that another version of it is another set of these and nothing else.

References
----------
HL7 CDS Hooks 2.0 (2022). Version 3.0 keeps these names of the discovery, of a card and of its feedback (ballot, 2024).
"""

from __future__ import annotations

VERSION = "2.0"
HOOK = "patient-view"
SERVICES, CARDS, FEEDBACK = "services", "cards", "feedback"
HOOK_FIELD, INSTANCE, CONTEXT, PREFETCH = "hook", "hookInstance", "context", "prefetch"
PATIENT_ID, USER_ID = "patientId", "userId"
CARD, OUTCOME, OVERRIDE, REASON, WHEN = "card", "outcome", "overrideReason", "reason", "outcomeTimestamp"
ACCEPTED, OVERRIDDEN = "accepted", "overridden"
INFO, WARNING = "info", "warning"  # never "critical": a prognosis is no alarm
LONGEST_SUMMARY = 140  # characters
