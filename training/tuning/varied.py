"""The learners' settings as a study declares them, and as a search varies them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from training.learners.fit_trees import TreeSettings
from training.learners.plan import AUTO, Plan, Settings
from training.refused import NotSupported
from training.study.study import Search, Study
from training.study.tunable import TUNABLE, Range

LINEAR, TREES = "linear", "trees"


def settings_of(study: Study) -> Settings:
    """What a study declares of the fit; a study of one learner chooses nothing."""
    return Settings(
        features=study.features,
        learner=study.learners[0] if len(study.learners) == 1 else AUTO,
        learners=study.learners,
        horizons=study.horizons,
        folds=study.folds,
        repeats=study.repeats,
        refits=study.refits,
        seed=study.seed,
    )


def searched(plan: Plan, search: Search) -> dict[str, Range]:
    """The part of the declared space that matters: nothing of trees where none are fitted, nor of what is not a candidate's.

    Raises NotSupported where nothing is left.
    """
    candidates = plan.settings.candidates
    fitted = {LINEAR: candidates != (TREES,), TREES: plan.trees is not None}
    left = {name: one for name, one in search.space.items() if fitted[name.partition(".")[0]]}
    if not left:
        why = f"only {' and '.join(name for name, there in fitted.items() if there)} of the learners are fitted to this cohort"
        raise NotSupported(f"search.space {', '.join(search.space)}: {why}")
    return left


def usual(plan: Plan, space: Mapping[str, Range]) -> dict[str, float]:
    """The values of the settings of `plan`, by the names of the space."""
    parts = {LINEAR: plan.settings.linear, TREES: plan.trees}
    return {name: getattr(parts[learner], one) for name in space for learner, _, one in [name.partition(".")]}


def varied(plan: Plan, values: Mapping[str, float]) -> Plan:
    """The same plan with other values of what is searched."""
    linear, trees = _of(LINEAR, values), _of(TREES, values)
    settings = replace(plan.settings, linear=replace(plan.settings.linear, **linear))
    if plan.trees is not None:
        settings = replace(settings, trees=_trees(plan.trees, trees))
    return replace(plan, settings=settings, trees=settings.trees)


def _trees(usual: TreeSettings, values: Mapping[str, float]) -> TreeSettings:
    whole = {name: int(value) for name, value in values.items() if TUNABLE[f"{TREES}.{name}"].whole}
    return replace(usual, **{**values, **whole})  # type: ignore[arg-type]  # whole are those that must be


def _of(learner: str, values: Mapping[str, float]) -> dict[str, float]:
    return {name.partition(".")[2]: value for name, value in values.items() if name.startswith(learner + ".")}
