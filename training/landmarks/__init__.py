"""Patients seen again at landmarks: one model for all of them, from what was known on each day."""
