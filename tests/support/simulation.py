"""A deployment's days as CloudWatch sees them: what the functions and AWS publish, and what the alarms make of it."""

import io
import math
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from unittest.mock import patch

from crm_services.sync.counts import Counts
from crm_services.sync.lease import State
from crm_services.sync.metrics import publish_run
from tests.support.alarm_evaluator import DAY, HOUR, MINUTE, Alarm, Key, Metrics
from tests.support.cloudformation import Stack
from tests.support.emf import metrics_in

# The time of the daily run.
SCHEDULED = 2.5 * HOUR
# How long CloudWatch takes to extract a metric from a log line, and Lambda and API Gateway to publish theirs.
EXTRACTED_AFTER = 2 * MINUTE
PUBLISHED_AFTER = MINUTE

# From when to when an alarm rang.
Rings = dict[str, list[tuple[float, float]]]


def counts(total: int = 100, linked: int = 30, errors: int = 0, lost: int = 0) -> Counts:
    """What a run counts where every linked customer has something to sync, and so have those that lost their link."""
    synced = linked + lost - errors
    return Counts(total, linked, synced, total - linked - lost, errors, changed=synced, lost=lost)


@dataclass
class World:
    """A stack from its deployment on; times are seconds since a midnight."""

    stack: Stack
    deployed: float = 0
    metrics: Metrics = field(default_factory=Metrics)

    def run(  # noqa: PLR0913 (each is one thing that a scenario may say)
        self, at: float, outcome: Counts | None = None, state: State = "completed", *,
        tenant: int | None = None, seconds: float = 60, extracted_after: float = EXTRACTED_AFTER,
    ) -> None:  # fmt: skip
        """A batch that began at that time; what it publishes is what the function prints."""
        environment = self.stack.functions["DailySyncFunction"]
        names = ("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE")
        with (
            patch.dict("os.environ", {name: environment[name] for name in names}),
            redirect_stdout(io.StringIO()) as out,
        ):
            publish_run(1, tenant, state, outcome or counts(), seconds)
        for datum in metrics_in(out.getvalue()):
            key = Key(datum.namespace, datum.name, datum.dimensions)
            self.metrics.publish(key, at + seconds, datum.value, extracted_after)

    def scheduled_run(
        self, at: float, outcome: Counts | None = None, state: State = "completed", seconds: float = 60
    ) -> None:
        """The daily function's invocation with its batch; one that failed leaves its event in the queue."""
        self.run(at, outcome, state, seconds=seconds)
        self.invoked(at, seconds, has_failed=state == "failed")

    def invoked(self, at: float, seconds: float, has_failed: bool = False) -> None:
        """An invocation of the daily function: counted at the time it began, once it has ended."""
        self._lambda("Errors", at, float(has_failed), seconds + PUBLISHED_AFTER)
        self._lambda("Throttles", at, 0, seconds + PUBLISHED_AFTER)

    def throttled(self, start: float, end: float) -> None:
        """Attempts to start the daily function, as Lambda repeats them: after a minute, then every five."""
        self._lambda("Throttles", start, 1, PUBLISHED_AFTER)
        at = start + MINUTE
        while at < end:
            self._lambda("Throttles", at, 1, PUBLISHED_AFTER)
            at += 5 * MINUTE

    def execution_failed(self, at: float) -> None:
        """An execution of the state machine that failed at that time."""
        key = self._key("AWS/States", "ExecutionsFailed", StateMachineArn="SyncStateMachine")
        self.metrics.publish(key, at, 1.0, PUBLISHED_AFTER)

    def dead_letter(self, start: float, end: float) -> None:
        """A message in the queue until somebody has seen to it; SQS counts every minute, and six hours beyond."""
        key = self._key("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName="DeadLetters.QueueName")
        for at in range(math.ceil(start / MINUTE) * MINUTE, int(end + 6 * HOUR), MINUTE):
            self.metrics.publish(key, at, float(at <= end), PUBLISHED_AFTER)

    def requests(self, at: float, number: int, milliseconds: float = 80, failing: int = 0) -> None:
        """Requests of one minute to the API."""
        for place in range(number):
            for name, value in (("Count", 1), ("5xx", place < failing), ("Latency", milliseconds)):
                key = self._key("AWS/ApiGateway", name, ApiId="Api")
                self.metrics.publish(key, at + place * MINUTE / number, float(value), PUBLISHED_AFTER)

    def rings(self, until: float, further_periods: int = 2, fills_the_void: bool = True) -> Rings:
        """The alarms that rang, with the times; those that kept quiet are not in it."""
        alarms = self.stack.of_type("AWS::CloudWatch::Alarm")
        rang = {
            name: Alarm(properties, self.deployed, further_periods, fills_the_void).rings(self.metrics, until)
            for name, properties in alarms.items()
        }
        return {name: times for name, times in rang.items() if times}

    def _lambda(self, name: str, at: float, value: float, arrives_after: float) -> None:
        self.metrics.publish(self._key("AWS/Lambda", name, FunctionName="DailySyncFunction"), at, value, arrives_after)

    def _key(self, namespace: str, name: str, **dimensions: str) -> Key:
        return Key(namespace, name, frozenset(dimensions.items()))


def day(number: float) -> float:
    """The time of the scheduled run of that day."""
    return number * DAY + SCHEDULED
