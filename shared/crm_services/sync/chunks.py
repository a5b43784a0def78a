"""A chunk of the batch: a transaction with the settings that its size calls for, and how many customers are left."""

from collections.abc import Iterator
from contextlib import contextmanager

from crm_services.access.entry import SCOPE_TO
from crm_services.postgres.database import Database, Transaction

CHUNK_SIZE = 10_000
# The CRM may have customers whose ids are not above 0: an import, a row for tests.
BEFORE_ALL = -(2**31)
# Each of its statements may take so long.
CHUNK_SECONDS = 120

# Large enough for a chunk's sorts, and the plan that a chunk's size calls for, however many customers the planner takes
# the scope to let through.
PREPARE_CHUNK = """
set local work_mem = '64MB';
set local enable_seqscan = off;
set local plan_cache_mode = force_custom_plan
"""

CUSTOMERS_AFTER = "select customers from crm_hosting.next_customers(:after::integer, 2147483647)"


@contextmanager
def chunk(database: Database, tenant_id: int | None, read_only: bool = False) -> Iterator[Transaction]:
    """A transaction for a chunk, which sees the tenant's customers (None: all)."""
    with database.transaction(read_only, CHUNK_SECONDS) as transaction:
        transaction.rows(PREPARE_CHUNK)
        transaction.rows(SCOPE_TO, tenant_id=tenant_id)
        yield transaction


def count_after(transaction: Transaction, after: int) -> int:
    """How many customers there are after that id."""
    count: int = transaction.value(CUSTOMERS_AFTER, after=after)
    return count
