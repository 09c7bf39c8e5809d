"""FHIR R4 resources, as hospital systems send them, understood as one patient: what is used, and what is not and why."""
