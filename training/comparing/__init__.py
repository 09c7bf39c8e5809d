"""Whether a model is better than what was there before it: the same patients, scored and judged in the same way."""
