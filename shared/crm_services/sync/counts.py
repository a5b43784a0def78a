"""What became of the customers of a run."""

from dataclasses import dataclass

from crm_services.postgres.database import Transaction

ADVANCE_RUN = """
update crm_hosting.runs
set cursor = greatest(cursor, :upto::integer), total = total + :total::integer, linked = linked + :linked::integer,
    synced = synced + :synced::integer, skipped = skipped + :skipped::integer,
    errors = errors + :errors::integer, changed = changed + :changed::integer, lost = lost + :lost::integer
where id = :run_id::bigint
"""

RUN_COUNTS = """
select total, linked, synced, skipped, errors, changed, lost from crm_hosting.runs where id = :run_id::bigint
"""

REMAINING = """
select n.customers from crm_hosting.runs r, crm_hosting.next_customers(r.cursor, 2147483647) n
where r.id = :run_id::bigint
"""


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


def counts_of(transaction: Transaction, run_id: int) -> Counts:
    """The counts of the run up to now."""
    return Counts(*transaction.row(RUN_COUNTS, run_id=run_id))


def advance(transaction: Transaction, run_id: int, upto: int, counts: Counts) -> None:
    """Add to the counts of the run, and move its cursor, in the transaction that did the work."""
    transaction.rows(ADVANCE_RUN, run_id=run_id, upto=upto, **vars(counts))


def remaining(transaction: Transaction, run_id: int) -> int:
    """How many customers the run has yet to come to."""
    left: int = transaction.value(REMAINING, run_id=run_id)
    return left
