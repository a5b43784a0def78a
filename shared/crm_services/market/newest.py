"""The snapshot that estimates are made from."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from crm_services.postgres.database import Transaction

MARKET = "select recorded_at, btc_per_terahash_day, btc_per_terahash_day * btc_price from crm_hosting.market"


class Market(NamedTuple):
    """When the newest usable snapshot was recorded, in UTC, and what 1 TH/s earns a day by it: BTC, USD."""

    as_of: datetime
    btc_per_terahash: Decimal
    usd_per_terahash: Decimal


def market(transaction: Transaction) -> Market | None:
    """The market as estimates see it; None where no snapshot is usable."""
    rows = transaction.rows(MARKET)
    return Market(*rows[0]) if rows else None
