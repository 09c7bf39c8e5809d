"""Better settings of the learners are looked for by cross-validation, and never where a model will be judged."""
