"""Reads what a function printed as CloudWatch does: each line in the embedded metric format becomes data points."""

import json
from typing import Any, NamedTuple

Dimensions = frozenset[tuple[str, str]]


class Datum(NamedTuple):
    """A value that CloudWatch extracts; only the exact set of dimensions finds it again."""

    namespace: str
    name: str
    dimensions: Dimensions
    unit: str
    value: float
    timestamp: float


def metrics_in(printed: str) -> list[Datum]:
    """The data points in what was printed; fails on a line that CloudWatch would refuse."""
    documents = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return [datum for document in documents if "_aws" in document for datum in _extract(document)]


def by_name(data: list[Datum]) -> dict[str, float]:
    """The values of a single run."""
    values = {datum.name: datum.value for datum in data}
    assert len(values) == len(data), "published more than once"
    return values


def _extract(document: dict[str, Any]) -> list[Datum]:
    timestamp = document["_aws"]["Timestamp"]
    assert isinstance(timestamp, int), "milliseconds since the epoch"
    data = []
    for directive in document["_aws"]["CloudWatchMetrics"]:
        assert 1 <= len(directive["Metrics"]) <= 100
        for names in directive["Dimensions"]:
            assert len(names) <= 30
            assert all(isinstance(document[name], str) and document[name] for name in names)
            dimensions = frozenset((name, document[name]) for name in names)
            for metric in directive["Metrics"]:
                given = document[metric["Name"]]
                for value in given if isinstance(given, list) else [given]:
                    assert isinstance(value, int | float), metric
                    assert abs(value) < float("inf"), metric
                    data.append(
                        Datum(
                            directive["Namespace"], metric["Name"], dimensions, metric["Unit"], value, timestamp / 1000
                        )
                    )
    return data
