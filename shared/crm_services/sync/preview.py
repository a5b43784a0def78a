"""What a batch would change, chunk by chunk, without writing anything."""

import json
from collections.abc import Callable
from typing import Any

from crm_services.access.customers import next_customers
from crm_services.base.errors import Conflict, QueryFailed
from crm_services.postgres.database import Database
from crm_services.sync.chunks import BEFORE_ALL, CHUNK_SIZE, chunk, count_after
from crm_services.sync.pace import Pace
from crm_services.sync.ranges import preview_range

# So many changes are shown, before and after; the others are counted.
SHOWN = 100

# One preview of a scope at a time: it takes as long as a run, and has no lease of one.
LOCK_PREVIEW = """
select pg_try_advisory_xact_lock(hashtextextended('crm_hosting.previews', coalesce(:tenant_id::integer, 0)))
"""


def preview_batch(
    database: Database, tenant_id: int | None, has_time: Callable[[], bool], after: int | None = None
) -> tuple[dict[str, Any], int | None]:
    """The counts that a run would have, and its first changes; and the customer to go on after, None at the end.

    With `after` it begins behind that customer, and ends when it has as many changes as are shown. `remaining` are the
    customers that it did not look at: the time was up, or that end was reached. What a constraint or trigger of the CRM
    would refuse shows when it is written, not here. Raises Conflict while another preview of the scope is under way.
    """
    pace, place = Pace(CHUNK_SIZE), BEFORE_ALL if after is None else after
    total, due, errors, changed = 0, 0, 0, 0
    changes: list[Any] = []
    remaining = 0
    while True:
        count, upto = 0, 0
        is_page = after is not None and len(changes) == SHOWN
        try:
            with chunk(database, tenant_id, read_only=True) as transaction:
                if not transaction.value(LOCK_PREVIEW, tenant_id=tenant_id):
                    raise Conflict
                count, upto, ids = next_customers(transaction, place, pace.size)
                if not count:
                    break
                if is_page or not has_time():
                    remaining = count_after(transaction, place)
                    break
                seen = preview_range(transaction, place, upto, SHOWN - len(changes), ids)
        except QueryFailed as error:
            if not error.is_fault_of_a_row:
                raise
            if not pace.failed(count):
                continue
            total, errors = total + 1, errors + 1
        else:
            pace.went_well(count)
            total, due, changed = total + count, due + seen.due, changed + seen.changed
            changes += json.loads(seen.changes)
        place = upto
    following = None
    if changed > len(changes) or (remaining and len(changes) == SHOWN):
        following = changes[-1]["customer_id"]
    elif remaining:
        following = place
    counts = {
        "total": total,
        "synced": due,
        "skipped": total - due - errors,
        "errors": errors,
        "changed": changed,
        "remaining": remaining,
    }
    return counts | {"changes": changes}, following
