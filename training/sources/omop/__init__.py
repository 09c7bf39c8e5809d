"""Tables of the OMOP common data model, read where they lie by one and the same SQL."""
