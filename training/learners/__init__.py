"""From design rows to a fitted, calibrated model with its refits."""
