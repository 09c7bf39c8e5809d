"""What must be true of a cohort before any number from it may be believed: Pass, Fail or Unknown, with the number behind each."""
