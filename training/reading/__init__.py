"""A cohort's tables are read row by row, and every fault and exclusion is kept."""
