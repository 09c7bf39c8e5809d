"""Cohorts whose truth is known: simulated patients, their hazards, and their files."""
