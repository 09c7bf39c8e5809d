"""The search: settings are tried one after the other, by as many computers as share a database, until there are enough.

A setting is chosen by the mean cross-validated IPA of the best candidate (`training.fit.choose_learner`). The usual setting is
the first that is tried, so that the search ends no worse than it began. A search that was interrupted goes on where it was; with
one computer at work and one seed it tries the same settings in the same order whether it was interrupted or not.

References
----------
Bergstra J et al., Adv Neural Inf Process Syst 2011;24:2546-2554 (the sampler, TPE). Akiba T et al., KDD 2019,
doi:10.1145/3292500.3330701 (Optuna).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from training.learners.plan import Plan
from training.progress import Advance, unwatched
from training.refused import SearchInterrupted
from training.study.study import Search
from training.tuning.objective import Judged, Objective
from training.tuning.trials import BY_FOLD, FINISHED, LEARNER, USUAL, distributions, name_of, open_trials, quiet, tried_of
from training.tuning.tried import Found, Tried, optimism
from training.tuning.varied import searched, usual, varied

Tell = Callable[[Tried], object]


def search(
    plan: Plan, declared: Search, storage: str, *, advance: Advance = unwatched, tell: Tell = lambda tried: None
) -> Found:
    """Search until the database at `storage` holds `declared.trials` trials; `tell` hears of each that is finished, once.

    Raises SearchInterrupted (a KeyboardInterrupt) where somebody stops it: what was tried is kept. NotSupported where nothing of
    the space matters to this cohort or the database cannot be opened.
    """
    space = searched(plan, declared)
    trials = open_trials(storage, name_of(plan.cohort, plan.settings, declared), declared.pruner)
    running = _Running(plan, declared, trials, usual(plan, space), advance, tell)
    with quiet(), _resumable(running):
        baseline = running.baseline()
        running.to_the_end(distributions(space), baseline)
    return _found(plan, running, baseline)


@contextmanager
def _resumable(running: _Running) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stopped:
        done, total = len(running.finished()), running.declared.trials
        sentence = f"stopped after {done} of {total} trials, which are kept: the same command goes on from there"
        raise SearchInterrupted(sentence) from stopped


def _found(plan: Plan, running: _Running, baseline: Judged) -> Found:
    finished = running.finished()
    ours = Tried(-1, running.usual, baseline.ipa, baseline.learner, baseline.by_fold, usual=True)
    kept = next((one for one in finished if one.usual), ours)  # another process may still be at it
    whole = [kept, *(one for one in finished if one.ipa is not None and one is not kept)]
    best = max(whole, key=lambda one: one.ipa or 0.0)
    given_up = sum(one.ipa is None for one in finished)
    return Found(varied(plan, best.values).settings, best, kept, len(finished), given_up, optimism(whole, best))


class _Running:
    """One process's part of a search."""

    def __init__(
        self, plan: Plan, declared: Search, trials: optuna.Study, usual: Mapping[str, float], advance: Advance, tell: Tell
    ):
        self.objective, self.declared, self.trials, self.usual = Objective(plan, declared.repeats), declared, trials, usual
        self.advance, self.tell = advance, tell
        self.told, self.done = set[int](), 0
        self.best: float | None = None

    def finished(self) -> list[Tried]:
        """Every trial that is over, in this process or another."""
        return [tried_of(one) for one in self.trials.get_trials(deepcopy=False, states=FINISHED)]

    def baseline(self) -> Judged:
        """The usual setting, judged once in every process: what others are held against, fold by fold."""
        return self.objective(self.usual, report=lambda by_fold, ahead: self._say(f"default setting, fold {len(by_fold)}"))

    def to_the_end(self, space: Mapping[str, BaseDistribution], baseline: Judged) -> None:
        """Try settings until enough have been tried, by whomever."""
        while len(self._hear()) < self.declared.trials:
            alive = self.trials.get_trials(deepcopy=False, states=(*FINISHED, TrialState.RUNNING, TrialState.WAITING))
            if not any(USUAL in one.user_attrs for one in alive):
                self.trials.enqueue_trial(dict(self.usual), user_attrs={USUAL: True})
            # seeded by how many went before: a search that is taken up again draws what it would have drawn
            before = sum(one.state != TrialState.WAITING for one in alive)
            self.trials.sampler = TPESampler(seed=self.objective.seed + before)
            self._try(self.trials.ask(dict(space)), baseline)

    def _try(self, trial: optuna.Trial, baseline: Judged) -> None:
        judged, state = None, TrialState.FAIL
        try:
            judged = baseline if USUAL in trial.user_attrs else self._judged(trial, baseline)
            state = TrialState.PRUNED if judged is None else TrialState.COMPLETE
        finally:
            if judged is not None:
                trial.set_user_attr(LEARNER, judged.learner)
                trial.set_user_attr(BY_FOLD, list(judged.by_fold))
            self.trials.tell(trial, None if judged is None else judged.ipa, state)

    def _judged(self, trial: optuna.Trial, baseline: Judged) -> Judged | None:
        """The trial's setting; None where it was given up."""

        def report(by_fold: Sequence[float], ahead: float) -> None:
            self._say(f"trial {trial.number}, fold {len(by_fold)}")
            trial.report(ahead, len(by_fold))
            if len(by_fold) < self.objective.steps and trial.should_prune():
                trial.set_user_attr(BY_FOLD, list(by_fold))
                raise optuna.TrialPruned

        try:
            return self.objective(trial.params, baseline, report)
        except optuna.TrialPruned:
            return None

    def _hear(self) -> list[Tried]:
        """The finished trials; of those that were not told of, it is told."""
        finished = self.finished()
        self.done, self.best = len(finished), max((one.ipa for one in finished if one.ipa is not None), default=None)
        self._say()
        for one in finished:
            if one.number not in self.told:
                self.told.add(one.number)
                self.tell(one)
        return finished

    def _say(self, doing: str = "") -> None:
        best = "" if self.best is None else f"best IPA {self.best:.4f}"
        words = ", ".join(filter(None, (best, doing and f"{doing} of {self.objective.steps}")))
        total = self.declared.trials
        self.advance(f"search: {words}" if words else "search", min(self.done, total), total)
