"""The evaluator decides as CloudWatch's documentation says, by its own examples."""

import random

import pytest

from tests.support.alarm_evaluator import HOUR, MINUTE, Alarm, Key, Metrics, State
from tests.support.metric_math import Expression

KEY = Key("Test", "Figure", frozenset({("service", "test")}))
PERIOD = 5 * MINUTE


def alarm(wanted: int, needed: int, treatment: str, **properties: object) -> Alarm:
    return Alarm(
        {
            "Namespace": "Test",
            "MetricName": "Figure",
            "Dimensions": [{"Name": "service", "Value": "test"}],
            "Statistic": "Maximum",
            "Period": PERIOD,
            "EvaluationPeriods": wanted,
            "DatapointsToAlarm": needed,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 3,
            "TreatMissingData": treatment,
        }
        | properties
    )


def metrics_of(drawn: str) -> Metrics:
    """The periods as the documentation draws them, oldest first: 0 is fine, X is breaching, - is missing."""
    metrics = Metrics()
    for place, sign in enumerate(drawn.split()):
        if sign != "-":
            metrics.publish(KEY, (place + 0.5) * PERIOD, 5 if sign == "X" else 0)
    return metrics


# "How alarm state is evaluated when data is missing": five periods are retrieved for three.
EXAMPLES_3_OF_3 = [
    ("0 - X - X", "OK", "OK"),
    ("0 - - - -", "OK", "OK"),
    ("- - - - -", "ALARM", "OK"),
    ("0 X X - X", "ALARM", "ALARM"),
    ("- - - - X", "ALARM", "OK"),
    ("X - - - -", "ALARM", "OK"),
]
EXAMPLES_2_OF_3 = [
    ("0 - X - X", "ALARM", "ALARM"),
    ("0 0 X 0 X", "ALARM", "ALARM"),
    ("0 - X - -", "ALARM", "OK"),
    ("- - - - 0", "ALARM", "OK"),
    ("- - - - X", "ALARM", "OK"),
]


@pytest.mark.parametrize(
    ("needed", "drawn", "if_breaching", "if_not_breaching"),
    [(3, *example) for example in EXAMPLES_3_OF_3] + [(2, *example) for example in EXAMPLES_2_OF_3],
)
def test_missing_data_are_treated_as_in_the_documentation(
    needed: int, drawn: str, if_breaching: State, if_not_breaching: State
) -> None:
    for treatment, expected in (("breaching", if_breaching), ("notBreaching", if_not_breaching)):
        assert alarm(3, needed, treatment).state(metrics_of(drawn), 5 * PERIOD, "OK") == expected


@pytest.mark.parametrize("before", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_ignored_missing_data_leave_the_state_as_it_was(before: State) -> None:
    ignoring = alarm(1, 1, "ignore")
    assert ignoring.state(metrics_of("- - - - -"), 5 * PERIOD, before) == before
    assert ignoring.state(metrics_of("- - X - -"), 5 * PERIOD, before) == "ALARM"
    assert ignoring.state(metrics_of("- X 0 - -"), 5 * PERIOD, before) == "OK"


def test_a_value_counts_from_its_arrival_on() -> None:
    metrics = Metrics()
    metrics.publish(KEY, at=30, value=5, arrives_after=4 * MINUTE)
    [(rang_at, _)] = alarm(1, 1, "notBreaching").rings(metrics, HOUR)
    assert rang_at == 5 * MINUTE


def test_other_dimensions_are_another_metric() -> None:
    metrics = Metrics()
    metrics.publish(KEY._replace(dimensions=KEY.dimensions | {("scope", "tenant")}), at=30, value=5)
    assert alarm(1, 1, "notBreaching").rings(metrics, HOUR) == []


def test_a_window_of_more_than_a_day_is_evaluated_by_the_hour_and_up_to_the_hour() -> None:
    """The documentation's job: it fails at 10:02, which 10:03 does not see and 11:03 does; 12:03 sees it mended."""
    metrics = Metrics()
    metrics.publish(KEY, 34 * HOUR + 2 * MINUTE, 5)
    metrics.publish(KEY, 35 * HOUR + 43 * MINUTE, 0)
    daily = alarm(1, 1, "ignore", Period=25 * HOUR, Statistic="Sum", ComparisonOperator="GreaterThanThreshold")
    [(rang_at, _)] = daily.rings(metrics, 48 * HOUR)
    assert rang_at == 35 * HOUR + 3 * MINUTE


def test_a_warm_up_is_waited_for() -> None:
    warming_up = alarm(
        1,
        1,
        "breaching",
        WarmUpConfiguration={"WarmUpPeriodDurationInMinutes": 90, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True},
    )
    assert warming_up.rings(Metrics(), 5 * HOUR) == [(90 * MINUTE, 5 * HOUR)]


def test_no_evaluation_that_is_left_out_would_have_changed_anything() -> None:
    chance = random.Random(20261124)  # noqa: S311 (the same series every time)
    for treatment in ("breaching", "notBreaching"):
        metrics = Metrics()
        for _ in range(40):
            at = chance.choice([chance.uniform(0, 6 * HOUR), chance.randrange(0, 6 * HOUR, MINUTE)])
            metrics.publish(KEY, at, chance.choice([0, 5]), chance.choice([0, chance.uniform(0, 20 * MINUTE)]))
        tried = alarm(4, 2, treatment)
        by_the_minute: list[tuple[float, State]] = []
        state: State = "INSUFFICIENT_DATA"
        for now in range(0, 7 * HOUR, MINUTE):
            new = tried.state(metrics, now, state)
            if new != state:
                by_the_minute.append((now, new))
                state = new
        assert tried.changes(metrics, 7 * HOUR - MINUTE) == by_the_minute
        assert len(by_the_minute) > 5


@pytest.mark.parametrize(
    ("errors", "requests", "rate"), [(10, 100, 10), (4, 4, 0), (None, 50, None), (6, None, None), (0, 0, 0)]
)
def test_metric_math_is_missing_where_what_it_needs_is(
    errors: float | None, requests: float | None, rate: float | None
) -> None:
    values = {"errors": errors, "requests": requests}
    assert Expression("IF(errors >= 5, 100 * errors / requests, 0)").value(values.get) == rate


def test_metric_math_fills_what_is_missing() -> None:
    fill = Expression("FILL(errors, 7)")
    assert [fill.value({"errors": value}.get) for value in (10.0, 0.0, None)] == [10, 0, 7]
    assert fill.value(lambda _: None, fillable=lambda _: False) is None


def test_what_the_evaluator_does_not_know_it_refuses() -> None:
    with pytest.raises(NotImplementedError):
        Expression("ANOMALY_DETECTION_BAND(errors)").value(lambda _: 1)
    with pytest.raises(NotImplementedError):
        alarm(3, 3, "ignore").state(metrics_of("- - - - X"), 5 * PERIOD, "OK")
