"""What became of the customers of a run."""

from dataclasses import dataclass, fields

from crm_services.postgres.database import Transaction


@dataclass(frozen=True)
class Counts:
    """What became of the customers of a run: total = synced + skipped + errors; changed is of the synced.

    `lost` are links that were found lost, and not known to be: those customers were cleared.
    """

    total: int = 0
    linked: int = 0
    synced: int = 0
    skipped: int = 0
    errors: int = 0
    changed: int = 0
    lost: int = 0


COUNTED = [field.name for field in fields(Counts)]
SUMS = ", ".join(f"coalesce(sum({name}), 0)::integer as {name}" for name in COUNTED)
ADDED = ", ".join(f"{name} = r.{name} + done.{name}" for name in COUNTED)

# What a living run's ranges have counted, beside a run `r`; an end has added it up, and there are none.
DONE_SO_FAR = f"cross join lateral (select {SUMS} from crm_hosting.run_ranges g where g.run_id = r.id) done"

RUN_COUNTS = f"""
select {", ".join(f"r.{name} + done.{name}" for name in COUNTED)}
from crm_hosting.runs r {DONE_SO_FAR}
where r.id = :run_id::bigint
"""

# Those that are in no range yet, and of the ranges those that are not done.
REMAINING = """
select (select n.customers from crm_hosting.next_customers(r.cursor, 2147483647) n)
       + coalesce((
         select sum(n.customers)
         from crm_hosting.run_ranges g, crm_hosting.next_customers(g.cursor, 2147483647, g.upto) n
         where g.run_id = r.id and g.number > 0 and g.cursor < g.upto), 0)::bigint
from crm_hosting.runs r where r.id = :run_id::bigint
"""


def counts_of(transaction: Transaction, run_id: int) -> Counts:
    """The counts of the run up to now."""
    return Counts(*transaction.row(RUN_COUNTS, run_id=run_id))


def remaining(transaction: Transaction, run_id: int) -> int:
    """How many customers the run has yet to come to."""
    left: int = transaction.value(REMAINING, run_id=run_id)
    return left
