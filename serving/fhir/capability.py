"""What the service can do, in FHIR's own words.

References
----------
HL7 FHIR R4 (4.0.1, 2019): CapabilityStatement.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

DEFINITION = "urn:lymphorisk:operation:early-mortality"
PUBLISHED = "2026-11-23"


def capability() -> dict[str, Any]:
    """The CapabilityStatement: one operation, asked with a Bundle or Parameters, answered with a RiskAssessment."""
    documentation = (
        "POST /fhir/$early-mortality with a Bundle of Patient, Observation, Condition, MedicationAdministration, "
        "MedicationStatement, MedicationRequest and Procedure, or with Parameters that hold it as `bundle` and the index date as "
        "`asOf` (or ?asOf=YYYY-MM-DD; else today, UTC). The answer is a RiskAssessment, or an OperationOutcome with every reason "
        "why there is none."
    )
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "lymphorisk", "version": version("lymphorisk")},
        "implementation": {"description": "Prognosis of adults with relapsed or refractory solid tumours; no treatment advice"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": documentation,
                "security": {"description": "an API key, or a bearer token of the identity provider"},
                "operation": [{"name": "early-mortality", "definition": DEFINITION, "documentation": documentation}],
            }
        ],
    }
