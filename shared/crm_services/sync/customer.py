"""The sync of one customer, at somebody's request."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm_services.base.errors import CustomerBusy, CustomerRefused, QueryFailed
from crm_services.postgres.database import Transaction
from crm_services.sync.ranges import preview_one, sync_one


def sync_customer(transaction: Transaction, customer_id: int) -> bool:
    """Write the fleet's figures into the CRM's record, and commit; False where there is nothing hosted to write.

    Raises CustomerBusy while somebody else has the record locked, CustomerRefused where the CRM does not take it.
    """
    with _refused_by_the_crm():
        done = sync_one(transaction, customer_id)
        if done.locked:
            raise CustomerBusy
        if done.due:
            transaction.commit()  # here, as it is where the CRM's deferred constraints refuse
    return bool(done.due)


def preview_customer(transaction: Transaction, customer_id: int) -> dict[str, Any] | None:
    """What the sync would change, field by field, before and after; None where there is nothing hosted to write."""
    with _refused_by_the_crm():
        preview = preview_one(transaction, customer_id)
    if not preview.due:
        return None
    changed: list[dict[str, Any]] = json.loads(preview.changes)
    return changed[0]["changes"] if changed else {}


@contextmanager
def _refused_by_the_crm() -> Iterator[None]:
    try:
        yield
    except QueryFailed as error:
        if error.is_fault_of_a_row:
            raise CustomerRefused from error
        raise
