"""A hospital's own tables become a cohort file and its three tidy tables; what was left out is counted, with the reason."""
