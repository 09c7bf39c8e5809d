"""Hospital systems ask in FHIR R4 and are answered in it: a Bundle in, a RiskAssessment or an OperationOutcome out."""
