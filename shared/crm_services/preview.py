"""What a batch would change, chunk by chunk, without writing anything."""

import json
from collections.abc import Callable
from typing import Any

from crm_services import batch_queries as queries
from crm_services.database import Database
from crm_services.errors import QueryFailed
from crm_services.pace import Pace
from crm_services.queries import SCOPE_TO
from crm_services.sync import preview_range
from crm_services.worker import CHUNK_SIZE

# So many changes are shown, before and after; the others are counted.
SHOWN = 100


def preview_batch(database: Database, tenant_id: int | None, has_time: Callable[[], bool]) -> dict[str, Any]:
    """The counts that a run would have, and its first changes; `remaining` where the time was up before.

    What a constraint or trigger of the CRM would refuse shows when it is written, not here.
    """
    pace, after = Pace(CHUNK_SIZE), 0
    total, due, errors, changed = 0, 0, 0, 0
    changes: list[Any] = []
    remaining = 0
    while True:
        count, upto = 0, 0
        try:
            with database.transaction(read_only=True) as transaction:
                transaction.rows(queries.PREPARE_CHUNK)
                transaction.rows(SCOPE_TO, tenant_id=tenant_id)
                count, upto = transaction.row(queries.NEXT_CHUNK, after=after, size=pace.size)
                if not count:
                    break
                if not has_time():
                    remaining = transaction.value(queries.CUSTOMERS_AFTER, after=after)
                    break
                chunk = preview_range(transaction, after, upto, SHOWN - len(changes))
        except QueryFailed as error:
            if not error.is_fault_of_a_row:
                raise
            if not pace.failed(count):
                continue
            total, errors = total + 1, errors + 1
        else:
            pace.went_well(count)
            total, due, changed = total + count, due + chunk.due, changed + chunk.changed
            changes += json.loads(chunk.changes)
        after = upto
    return {
        "total": total,
        "synced": due,
        "skipped": total - due - errors,
        "errors": errors,
        "changed": changed,
        "remaining": remaining,
        "changes": changes,
    }
