"""The sync of a range of customers: the unit that one customer's sync, the batch and its workers share."""

from typing import NamedTuple

from crm_services import batch_queries as queries
from crm_services.database import Transaction
from crm_services.settings import settings


class Synced(NamedTuple):
    """What became of a range; `due` is linked with something to sync, `locked` are ids that somebody else holds."""

    linked: int
    due: int
    changed: int
    locked: list[int]


class Preview(NamedTuple):
    """What a sync of a range would change; `changes` is a JSON array of the first customers, before and after."""

    due: int
    changed: int
    changes: str


def sync_range(
    transaction: Transaction, after: int, upto: int, only: list[int] | None = None, run_id: int | None = None
) -> Synced:
    """Sync the visible customers with `after < id <= upto`, of those in `only` where that is given."""
    row = transaction.row(queries.SYNC, after=after, upto=upto, only=only, run_id=run_id, link_any=settings().link_any)
    return Synced(*row)


def sync_one(transaction: Transaction, customer_id: int) -> Synced:
    """Sync one customer, if it is visible."""
    transaction.rows(queries.PREPARE_ONE)
    return sync_range(transaction, customer_id - 1, customer_id)


def preview_range(transaction: Transaction, after: int, upto: int, limit: int) -> Preview:
    """What `sync_range` would change, in detail for the first `limit` customers; it writes nothing."""
    row = transaction.row(queries.PREVIEW, after=after, upto=upto, only=None, limit=limit, link_any=settings().link_any)
    return Preview(*row)


def preview_one(transaction: Transaction, customer_id: int) -> Preview:
    """What `sync_one` would change."""
    transaction.rows(queries.PREPARE_ONE)
    return preview_range(transaction, customer_id - 1, customer_id, limit=1)
