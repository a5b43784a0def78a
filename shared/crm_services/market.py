"""The market as the estimates see it: the newest usable snapshot, or none."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from crm_services import queries
from crm_services.database import Transaction
from crm_services.revenue import btc_per_terahash_day


@dataclass(frozen=True)
class Market:
    """Price in USD, earnings of 1 TH/s in BTC a day, difficulty, and when they were taken (UTC); all real or none."""

    btc_price: Decimal | None = None
    btc_per_terahash_day: Decimal = Decimal(0)
    as_of: datetime | None = None
    network_difficulty: Decimal | None = None

    @classmethod
    def newest(cls, transaction: Transaction) -> "Market":
        """The newest usable snapshot; without one, no price and no earnings."""
        rows = transaction.rows(queries.MARKET)
        if not rows:
            return cls()
        [(recorded_at, btc_price, difficulty, block_reward)] = rows
        return cls(btc_price, btc_per_terahash_day(difficulty, block_reward), recorded_at, difficulty)
