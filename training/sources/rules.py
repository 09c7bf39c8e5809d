"""The rules by which a source becomes a cohort, in the words in which every report says them."""

from __future__ import annotations

from models.lines import GAP_DAYS, REGIMEN_DAYS

DEATH_DAYS = 31  # a death this soon after the end of observation is the reason for its end
DIAGNOSIS_DAYS = 30  # a drug begun this long before the first record of a tumour may already be for it

RULES: tuple[tuple[str, str], ...] = (
    ("unit", "A value without a unit, or with one that is not accepted, is refused and counted; a unit is never guessed."),
    ("comparator", "A result below or above what the assay can tell keeps its < or >; text that is no result is refused."),
    ("order", "Rows may come in any order: they are placed by their dates, never by their place in the table."),
    ("duplicate", "The same result of a person on a day, in whatever unit, counts once."),
    ("same day", "Of several different results of one day the last by its time of day counts."),
    ("contradiction", "Different results of one day without times that tell which is the last: none of them counts."),
    ("counts", "Blood counts of one day that cannot be true together (parts above the whole): none of them counts."),
    ("score", "Where ECOG and Karnofsky are of one day, ECOG counts."),
    ("future", "What is dated after the day of extraction, after the death or after the last day of observation is refused."),
    ("birth", "What is dated before the birth is refused."),
    ("regimen", f"Drugs begun within {REGIMEN_DAYS} days of the first drug of a line are its regimen."),
    ("new line", f"A new line begins with a new drug more than {REGIMEN_DAYS} days after the line began, or after a progression "
                 f"within it, or with any drug after a gap of more than {GAP_DAYS} days."),
    ("running", "A drug first given on the index date runs on it; of other drugs the last dose by that day is the end."),
    ("before", f"Systemic drugs begun more than {DIAGNOSIS_DAYS} days before the first record of a tumour are of no line of it."),
    ("tumour", "The tumour is the one malignant primary recorded by the index date; several, or a lung cancer whose histology is "
               "not told, leave the person out."),
    ("follow-up", "Follow-up ends with death, else with the end of the observation period that holds the index date."),
    ("late death", f"A death more than {DEATH_DAYS} days after the end of that period was not observed: follow-up ends with the "
                   "period."),
    ("known", "Rows after the index date stay in the tables for histories, doses one by one; nothing of them reaches a feature "
              "of the index date."),
)
