"""The snapshot that estimates are made from."""

from datetime import datetime

from crm_services.postgres.database import Transaction

MARKET_TIME = "select recorded_at from crm_hosting.market"


def market_as_of(transaction: Transaction) -> datetime | None:
    """When the newest usable snapshot was recorded, in UTC; None where there is none."""
    recorded_at: datetime | None = transaction.value(MARKET_TIME)
    return recorded_at
