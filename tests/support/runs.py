"""The batch's own memory, as the tests read it, and ways to make a run stop."""

from collections.abc import Callable
from typing import Any

from pg8000.native import Connection

COUNTS = ("total", "linked", "synced", "skipped", "errors", "changed")


def runs(owner: Connection) -> list[dict[str, Any]]:
    """All runs, oldest first."""
    rows = owner.run("select * from crm_hosting.runs order by id")
    return [dict(zip((column["name"] for column in owner.columns or []), row, strict=True)) for row in rows]


def failures(owner: Connection) -> list[tuple[Any, ...]]:
    """The customers that runs could not sync: customer, SQLSTATE, constraint."""
    rows = owner.run("select customer_id, sqlstate, constraint_name from crm_hosting.run_errors order by 1")
    return [tuple(row) for row in rows]


def time_for(chunks: int) -> Callable[[], bool]:
    """A clock by which so many chunks can be done."""
    left = iter([True] * chunks)
    return lambda: next(left, False)
