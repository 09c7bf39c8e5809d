"""What a run tells: the account of a cohort, the card, the pictures."""
