"""What a follow-up can answer, and how good risks are, weighted for censoring."""
