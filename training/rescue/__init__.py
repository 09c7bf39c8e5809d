"""Lymphopenia, its recovery and survival over time: what of it is an association, and what only the passing of time."""
