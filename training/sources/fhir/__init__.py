"""Resources of FHIR as a hospital exports them: Bundles, lists, and the NDJSON of a bulk export."""
