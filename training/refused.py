"""Why a training run does not begin; light enough for the command line to know them before anything heavy is loaded."""


class NotSupported(ValueError):
    """What a data scientist asked for is not there, or this cohort cannot support it."""


class NothingEvaluable(ValueError):
    """A cohort whose follow-up answers no horizon; the message names the number that is short at each."""


class SearchInterrupted(KeyboardInterrupt):
    """Somebody stopped a search; the message says what is kept and how it goes on."""


class NotTracked(RuntimeError):
    """A run whose artifact is saved and which MLflow did not keep; the message says where the artifact is."""
