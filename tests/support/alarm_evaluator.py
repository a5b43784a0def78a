"""Evaluates a CloudWatch alarm over simulated time: the properties that the template uses, and no others.

After the CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data":

* An alarm is evaluated every minute, over periods that end then; one whose window is longer than a day every hour,
  over periods that end at the full hour.
* CloudWatch retrieves more periods than `EvaluationPeriods` (how many more is not documented: `further_periods`). Where
  enough of them have data, the newest of those decide, however old; only what they lack is filled in by
  `TreatMissingData`.
* A metric's data point is found by exactly its dimensions, and not before it has arrived.
"""

import math
import operator
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Literal, NamedTuple

from tests.support.metric_math import Expression

MINUTE, HOUR, DAY = 60, 3600, 86400
# An hourly evaluation comes some minutes after the full hour that it looks at.
AFTER_THE_HOUR = 3 * MINUTE

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


class Key(NamedTuple):
    """What CloudWatch files a metric under."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


@dataclass
class Metrics:
    """What was published until now: values at a time, each with the time it arrived at."""

    _points: dict[Key, list[tuple[float, float, float]]] = field(default_factory=lambda: defaultdict(list))

    def publish(self, key: Key, at: float, value: float, arrives_after: float = 0) -> None:
        """Add a value; it need not be the newest."""
        insort(self._points[key], (at, value, at + arrives_after))

    def values(self, key: Key, start: float, end: float, now: float) -> list[float]:
        """The values of `start <= at < end` that have arrived by now."""
        points = self._points.get(key, [])
        first, last = (bisect_left(points, (at, -math.inf)) for at in (start, end))
        return [value for _, value, arrival in points[first:last] if arrival <= now]

    def moments(self, key: Key, period: float, periods: int) -> Iterator[float]:
        """When a value arrives, and when it passes from one of the latest periods into the next older one."""
        for at, _, arrival in self._points.get(key, []):
            yield arrival
            yield from (at + age * period for age in range(periods + 1))


@dataclass(frozen=True)
class Alarm:
    """An alarm of the template, created at a moment."""

    properties: Mapping[str, Any]
    created: float = 0
    further_periods: int = 2
    # Whether FILL makes a series out of a metric without any data in sight: the documentation does not say.
    fills_the_void: bool = True

    def changes(self, metrics: Metrics, until: float) -> list[tuple[float, State]]:
        """Each change of the alarm's state from its creation on, with the time of it."""
        state: State = "INSUFFICIENT_DATA"
        changes: list[tuple[float, State]] = []
        for now in self._evaluations(metrics, until):
            new = self.state(metrics, now, state)
            if new != state:
                changes.append((now, new))
                state = new
        return changes

    def rings(self, metrics: Metrics, until: float) -> list[tuple[float, float]]:
        """From when to when the alarm rang; still ringing is until `until`."""
        changes = [*self.changes(metrics, until), (until, "OK")]
        return [(start, changes[place + 1][0]) for place, (start, state) in enumerate(changes[:-1]) if state == "ALARM"]

    def state(self, metrics: Metrics, now: float, before: State) -> State:
        """The state after an evaluation."""
        wanted: int = self.properties["EvaluationPeriods"]
        needed: int = self.properties.get("DatapointsToAlarm", wanted)
        treatment = self.properties["TreatMissingData"]
        end = now - (now % HOUR) if self._is_multi_day else now
        existing = (value for value in self._data_points(metrics, end, now) if value is not None)
        found = list(islice(existing, wanted))
        missing = wanted - len(found)
        breaching = sum(map(self._is_breaching, found))
        if missing == wanted and treatment == "ignore":
            return before
        if missing and treatment == "ignore":
            raise NotImplementedError("`ignore` is evaluated over a single period only")
        if treatment == "breaching":
            breaching += missing
        return "ALARM" if breaching >= needed else "OK"

    def _evaluations(self, metrics: Metrics, until: float) -> list[float]:
        """The times of evaluation up to `until`, but for those at which nothing can have changed."""
        start = self.created
        if warm_up := self.properties.get("WarmUpConfiguration"):
            if not warm_up["OnlyStartEvaluatingAfterWarmUpPeriodEnds"]:
                raise NotImplementedError("a warm-up that ends early")
            start += warm_up["WarmUpPeriodDurationInMinutes"] * MINUTE
        if self._is_multi_day:
            first = math.ceil((start - AFTER_THE_HOUR) / HOUR) * HOUR + AFTER_THE_HOUR
            return [first + number * HOUR for number in range(int((until - first) // HOUR) + 1)]
        moments = (m for key in self._keys for m in metrics.moments(key, self._period, self._periods))
        minutes = {
            math.ceil(max(moment, start) / MINUTE) * MINUTE + after
            for moment in (start, *moments)
            for after in (0, MINUTE)
        }
        return sorted(minute for minute in minutes if minute <= until)

    @property
    def _is_multi_day(self) -> bool:
        return self._period * int(self.properties["EvaluationPeriods"]) > DAY

    @property
    def _periods(self) -> int:
        return int(self.properties["EvaluationPeriods"]) + self.further_periods

    @property
    def _period(self) -> int:
        [period] = {stat["Period"] for stat in self._stats.values()}
        return int(period)

    @property
    def _keys(self) -> set[Key]:
        return {_key(stat["Metric"]) for stat in self._stats.values()}

    @cached_property
    def _stats(self) -> dict[str, Any]:
        """Each metric with its statistic and period, by its name in the expression."""
        p = self.properties
        if "Metrics" in p:
            return {query["Id"]: query["MetricStat"] for query in p["Metrics"] if "MetricStat" in query}
        return {"metric": {"Metric": p, "Period": p["Period"], "Stat": p["Statistic"]}}

    @cached_property
    def _expression(self) -> Expression:
        [text] = [q["Expression"] for q in self.properties.get("Metrics", []) if "Expression" in q] or ["metric"]
        return Expression(text)

    def _data_points(self, metrics: Metrics, end: float, now: float) -> Iterator[float | None]:
        """A data point for each of the latest periods, the first of which ends at `end`."""

        def of_periods(name: str, first: int, last: int) -> float | None:
            stat = self._stats[name]
            start, stop = end - (last + 1) * self._period, end - first * self._period
            return _statistic(metrics.values(_key(stat["Metric"]), start, stop, now), stat["Stat"])

        def fillable(name: str) -> bool:
            return self.fills_the_void or of_periods(name, 0, self._periods - 1) is not None

        for age in range(self._periods):
            yield self._expression.value(lambda name, age=age: of_periods(name, age, age), fillable)  # type: ignore[misc]

    def _is_breaching(self, value: float) -> bool:
        return _COMPARISONS[self.properties["ComparisonOperator"]](value, float(self.properties["Threshold"]))


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "LessThanThreshold": operator.lt,
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
}


def _key(metric: Mapping[str, Any]) -> Key:
    dimensions = frozenset((one["Name"], one["Value"]) for one in metric["Dimensions"])
    return Key(metric["Namespace"], metric["MetricName"], dimensions)


def _statistic(values: list[float], stat: str) -> float | None:
    if not values:
        return None
    if stat.startswith("p"):
        return sorted(values)[math.ceil(float(stat[1:]) / 100 * len(values)) - 1]
    of: dict[str, Callable[[list[float]], float]] = {"Sum": math.fsum, "Minimum": min, "Maximum": max}
    return of[stat](values)
