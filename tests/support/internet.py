"""The three sources of market data on this machine, answering in the shapes that they document."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crm_services.base.settings import MarketUrls
from crm_services.market.snapshot import Before, Refresh, Snapshot
from crm_services.market.web import Patience
from tests.support.strangers import PATIENCE, Stranger, answer, listening

# The documented shapes, with the figures of the fourth halving's day in April 2024, as of now.
PRICE, DIFFICULTY, HASHRATE, HEIGHT = 63_500, 86_388_558_925_171.02, 6.2e20, 840_000
HASHRATE_AT_TARGET = DIFFICULTY * 2**32 / 600 / 1e18
PRICES_PATH, MINING_PATH, HEIGHT_PATH = "/v1/prices", "/v1/mining/hashrate/3d", "/blocks/tip/height"
TICKER_PATH, BLOCKS_PATH = "/ticker/btcusd/", "/blocks"


def ago(seconds: float) -> int:
    return int(time.time() - seconds)


def prices(usd: object = PRICE, at: object = None) -> str:
    return json.dumps({"time": ago(60) if at is None else at, "USD": usd, "EUR": 59617, "GBP": 51371, "JPY": 9817000})


def mining(hashrate: object = HASHRATE, difficulty: object = DIFFICULTY, day: object = None) -> str:
    midnight = ago(0) // 86_400 * 86_400 - 86_400
    return json.dumps(
        {
            "hashrates": [
                {"timestamp": midnight - 86_400 if day is None else day, "avgHashrate": 6.0e20},
                {"timestamp": midnight if day is None else day, "avgHashrate": 6.1e20},
            ],
            "difficulty": [{"time": ago(8 * 86_400), "height": 838656, "difficulty": DIFFICULTY, "adjustment": 1.0392}],
            "currentHashrate": hashrate,
            "currentDifficulty": difficulty,
        }
    )


def ticker(last: object = "63512.00", at: object = None) -> str:
    return json.dumps(
        {"timestamp": str(ago(5)) if at is None else at, "open": "63799", "last": last, "bid": "63508", "ask": "63512"}
    )


def blocks(height: object = HEIGHT, difficulty: object = DIFFICULTY, at: object = None) -> str:
    block = {
        "id": "0" * 64,
        "version": 2,
        "timestamp": ago(900) if at is None else at,
        "tx_count": 3050,
        "bits": 386089497,
    }
    heights = [height, height - 1] if isinstance(height, int) else [height]
    return json.dumps([block | {"height": one, "difficulty": difficulty} for one in heights])


@dataclass(frozen=True)
class Internet:
    """The three sources, each well-behaved until a test says otherwise."""

    mempool: Stranger
    bitstamp: Stranger
    esplora: Stranger

    @property
    def urls(self) -> MarketUrls:
        return MarketUrls(self.mempool.url, self.bitstamp.url, self.esplora.url)

    @property
    def asked(self) -> list[str]:
        return self.mempool.asked + self.bitstamp.asked + self.esplora.asked

    def take(self, before: Before | None = None, patience: Patience = PATIENCE) -> tuple[Snapshot, Refresh]:
        refresh = Refresh(self.urls, patience)
        return refresh.take(before), refresh


@contextmanager
def internet_on_this_machine() -> Iterator[Internet]:
    """All three, well-behaved, until the block ends."""
    with listening() as mempool, listening() as bitstamp, listening() as esplora:
        mempool.answers |= {
            PRICES_PATH: answer(prices()),
            MINING_PATH: answer(mining()),
            HEIGHT_PATH: answer(str(HEIGHT), Content_Type="text/plain"),
        }
        bitstamp.answers[TICKER_PATH] = answer(ticker())
        esplora.answers[BLOCKS_PATH] = answer(blocks())
        yield Internet(mempool, bitstamp, esplora)
