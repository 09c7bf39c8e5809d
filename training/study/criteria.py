"""What a model must show before it may reach patients, decided before anybody has seen its figures.

The defaults are bars that were suggested for later patients, grouped by patient, at the primary horizon; a study may set others,
and must then set them before it trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType

Band = tuple[float, float]

# Against simple models any gain that is more than chance; a champion may be replaced by a model as good, made of newer patients.
GAINS: Mapping[str, float] = MappingProxyType({"albumin_alone": 0.0, "cox_four": 0.0, "champion": -0.02})


@dataclass(frozen=True)
class Criteria:
    """The bars of the gate at `primary_day`; a band is (lowest, highest), both allowed.

    `least_auc_gain_over`: by what the model is held against, what the lower end of the 95 % interval of its paired gain in AUC
    must exceed. Strata with fewer patients or deaths than the least ones are told and not judged.

    References
    ----------
    90 days: life expectancy of three months, as trials ask for it (Arkenau HT, J Clin Oncol 2009;27:2692-2696,
    doi:10.1200/JCO.2008.19.5081). Calibration bands: observed over expected within a tenth for everybody and within .8 to 1.25 in
    a stratum are conventions, not results; a slope far from 1 says that risks are too extreme or too timid (Van Calster B,
    BMC Med 2019;17:230, doi:10.1186/s12916-019-1466-7, which also asks for 100 deaths, better 200, to judge calibration).
    """

    primary_day: float = 90.0
    least_auc: float = 0.72
    least_ipa: float = 0.0
    least_auc_gain_over: Mapping[str, float] = field(default_factory=lambda: dict(GAINS))
    intercept: Band = (-0.1, 0.1)
    slope: Band = (0.9, 1.1)
    observed_expected: Band = (0.9, 1.1)
    strata_observed_expected: Band = (0.8, 1.25)
    strata_least_patients: int = 100
    strata_least_deaths: int = 20
    require_test: bool = False

    def as_json(self) -> dict[str, object]:
        """All of them, JSON-ready."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def kinds() -> dict[str, str]:
    """What kind of value each criterion takes: "number", "count", "band", "yes or no", or "numbers" by name."""
    named = {"float": "number", "int": "count", "Band": "band", "bool": "yes or no", "Mapping[str, float]": "numbers"}
    return {one.name: named[str(one.type)] for one in fields(Criteria)}
