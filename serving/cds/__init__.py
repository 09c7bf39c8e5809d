"""A hospital system opens a patient and asks what to show: one card, made from what it sends along, or nothing."""
