"""The CSV files that cancer centres fill for the mCODE extraction framework."""
