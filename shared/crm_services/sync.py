"""The sync of a range of customers: the unit that one customer's sync, the batch and its workers share."""

from typing import NamedTuple

from crm_services import batch_queries as queries
from crm_services.database import Transaction
from crm_services.market import Market
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
    return Synced(*transaction.row(queries.SYNC, run_id=run_id, **_parameters(transaction, after, upto, only)))


def preview_range(transaction: Transaction, after: int, upto: int, limit: int) -> Preview:
    """What `sync_range` would change, in detail for the first `limit` customers; it writes nothing."""
    return Preview(*transaction.row(queries.PREVIEW, limit=limit, **_parameters(transaction, after, upto, None)))


def _parameters(transaction: Transaction, after: int, upto: int, only: list[int] | None) -> dict[str, object]:
    market = Market.newest(transaction)
    return {
        "after": after,
        "upto": upto,
        "only": only,
        "link_any": settings().link_any,
        "btc_per_terahash": market.btc_per_terahash_day,
        "btc_price": market.btc_price or 0,
    }
