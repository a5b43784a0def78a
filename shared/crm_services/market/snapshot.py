"""Takes a snapshot of price and network from strangers, judges it, and appends it to the bundle's own."""

import time
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Literal

from crm_services.base.errors import AppError
from crm_services.base.settings import MarketUrls
from crm_services.market.network import hashrate_at_target
from crm_services.market.sources import FirstChoice, SecondChoice
from crm_services.market.web import Patience, Source
from crm_services.postgres.database import Database

# For market_refresh, which logs in as a role that can do these two things and nothing else.
MARKET_OF_THE_DAY = """
select btc_price, network_difficulty, block_reward from crm_hosting.market
where recorded_at > now() - interval '24 hours'
"""

RECORD_SNAPSHOT = """
select crm_hosting.record_snapshot(
  :btc_price::float8, :network_difficulty::float8, :network_hashrate::float8, :block_reward::float8,
  :price_source::text, :data_source::text, :is_valid::boolean, :response_ms::integer)
"""

HASHES_PER_EXAHASH = Decimal(10) ** 18
# A figure that grew or shrank by this factor since a snapshot of the last 24 hours needs both sources to agree on it:
JUMP = Decimal(2)
# the one says at most this times what the other says.
AGREEMENT = Decimal("1.05")


class MarketUnknown(AppError):
    """A figure could be had from nobody; `str()` names it."""

    def __init__(self, figure: str) -> None:
        super().__init__()
        self.args = (figure,)


@dataclass(frozen=True)
class Snapshot:
    """A row of `crm_hosting.market_snapshots`: USD, difficulty, EH/s, BTC, where from, and whether to be believed."""

    btc_price: float
    network_difficulty: float
    network_hashrate: float
    block_reward: float
    price_source: str
    data_source: str
    is_valid: bool
    response_ms: int


@dataclass(frozen=True)
class Before:
    """The newest usable snapshot, where it is under a day old."""

    price: Decimal
    difficulty: Decimal
    reward: Decimal


class Refresh:
    """One attempt, and what there is to say of it afterwards: which sources failed, which figures are in doubt."""

    def __init__(self, urls: MarketUrls, patience: Patience = Patience()) -> None:  # noqa: B008 (it is immutable)
        self.failures: list[str] = []
        self.doubts: list[str] = []
        self._first = FirstChoice(Source(urls.mempool, patience), self.failures)
        self._second = SecondChoice(Source(urls.bitstamp, patience), Source(urls.esplora, patience), self.failures)

    def run(self, database: Database) -> Snapshot:
        """Fetch, judge and append; raises MarketUnknown, and appends nothing, where a figure is missing."""
        with database.transaction() as transaction:
            rows = transaction.rows(MARKET_OF_THE_DAY)
        snapshot = self.take(Before(*rows[0]) if rows else None)
        with database.transaction() as transaction:
            transaction.rows(RECORD_SNAPSHOT, **asdict(snapshot))
        return snapshot

    def take(self, before: Before | None) -> Snapshot:
        """Fetch and judge, by what was before."""
        started = time.monotonic()
        price, price_choice = self._figure("price", before)
        difficulty, data_choice = self._figure("difficulty", before)
        reward, _ = self._figure("reward", before)
        hashrate, expected = self._first.hashrate, hashrate_at_target(difficulty)
        if hashrate is None or _ratio(hashrate, expected) >= JUMP:  # missing, or in another unit
            hashrate = expected
        return Snapshot(
            btc_price=float(price),
            network_difficulty=float(difficulty),
            network_hashrate=float(hashrate / HASHES_PER_EXAHASH),
            block_reward=float(reward),
            price_source=price_choice.price_source,
            data_source=data_choice.data_source,
            is_valid=not self.doubts,
            response_ms=round(1000 * (time.monotonic() - started)),
        )

    def _figure(
        self, name: Literal["price", "difficulty", "reward"], before: Before | None
    ) -> tuple[Decimal, FirstChoice | SecondChoice]:
        first: Decimal | None = getattr(self._first, name)
        value: Decimal | None = first or getattr(self._second, name)
        if value is None:
            raise MarketUnknown(name)
        if before and _ratio(value, getattr(before, name)) >= JUMP:
            second: Decimal | None = getattr(self._second, name)
            if not (first and second and _ratio(first, second) <= AGREEMENT):
                self.doubts.append(name)
        return value, self._first if first else self._second


def _ratio(one: Decimal, other: Decimal) -> Decimal:
    return max(one, other) / min(one, other)
