"""How long the batch waits for a database that is away: a failover takes a minute or two, and passes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TypeVar

from crm_services.base.errors import PASSING, QueryFailed, Unavailable

Result = TypeVar("Result")

# Deadlock or serialisation failure: the same may well succeed now.
WORTH_REPEATING = "40"
# How long to wait before something is tried again; the failure after the last pause is raised.
PAUSES_SECONDS = (0.1, 1.0, 5.0)
# And then again and again, by whoever outlives a failover.
LONG_PAUSE_SECONDS = 10.0


def always() -> bool:
    """Whoever waits by this waits for ever."""
    return True


@dataclass(frozen=True)
class Patience:
    """Tries again what a passing trouble made fail; one that outlives a failover does so as long as there is time."""

    outlives_failover: bool = False

    def repeat(self, do: Callable[[], Result], has_time: Callable[[], bool] = always) -> Result:
        """What `do` returns in the end. It has to be such that twice is once: an answer may have been lost."""
        few = iter(PAUSES_SECONDS)
        and_many = chain(few, repeat(LONG_PAUSE_SECONDS) if self.outlives_failover else ())
        while True:
            try:
                return do()
            except Unavailable:
                pause = next(and_many, None)
                if pause is None or not has_time():
                    raise
            except QueryFailed as error:
                pause = next(few, None)
                # A request has no time for what took all that a statement may.
                may_pass = self.outlives_failover and error.sqlstate.startswith(PASSING) and has_time()
                if pause is None or not (may_pass or error.sqlstate.startswith(WORTH_REPEATING)):
                    raise
            time.sleep(pause)


IMPATIENT = Patience()
