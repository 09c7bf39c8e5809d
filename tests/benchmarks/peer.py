"""The usual way to serve an explained model: a pyfunc that holds the booster and asks it for contributions; run by MLflow itself.

Nothing else is done: no unit is read, no missing value estimated, no interval, no word, no receipt. One row a patient, the design
columns as the booster knows them; out come the terms and the log-odds at five horizons.
"""

import numpy as np
import pandas as pd
import xgboost
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

HORIZONS = (30, 60, 90, 180, 365)  # days; the booster's last column


class Contributions(PythonModel):
    """The booster, loaded once, with XGBoost's own settings."""

    def load_context(self, context):
        self.booster = xgboost.Booster(model_file=context.artifacts["booster"])

    def predict(self, context, model_input, params=None):
        """Five rows a patient: the term of each column, the base, and the risk."""
        rows = np.repeat(model_input.to_numpy(np.float32), len(HORIZONS), axis=0)
        days = np.tile(np.array(HORIZONS, np.float32), len(model_input))
        terms = self.booster.predict(xgboost.DMatrix(np.column_stack([rows, days])), pred_contribs=True)
        found = pd.DataFrame(terms, columns=[*model_input.columns, "days", "base"])
        found["risk"] = 1 / (1 + np.exp(-terms.sum(axis=1)))
        return found


set_model(Contributions())
