"""What every output of every kind begins with when the patients behind it were simulated."""

from pathlib import Path

SIMULATED = "simulated"  # the source of a cohort, and what a model was trained on; every child of a model inherits it
TRUTH = "truth.csv"  # the true risks that `simulate` writes beside its cohort file
EXAMPLE = "EXAMPLE: simulated patients, not a real risk"


def is_simulated(source: str) -> bool:
    """Whether a cohort's source, or what a model was trained on, says "simulated", in whatever case and with blanks around."""
    return source.strip().casefold() == SIMULATED


def made_by_simulation(name: str, folder: Path) -> bool:
    """Whether a cohort bears the marks of `simulate`: its name, or the true risks beside its cohort file in `folder`."""
    return name.strip().casefold().startswith(f"{SIMULATED}-") or (folder / TRUTH).is_file()
