"""Who is asked about price and network, and the shape of a usable answer; what does not fit it is no answer.

The first choice knows everything: a mempool.space-compatible API, anybody's own instance included. In its absence, and
to confirm what is hard to believe, others are asked: about the price Bitstamp, which is none of the exchanges that
mempool.space averages, and about the chain Blockstream's Esplora. What a source knew some time ago is no answer either:
an instance whose feed has stopped goes on answering, with the time of what it knew last.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from crm_services.market.network import LAST_REWARDED_HEIGHT, block_reward
from crm_services.market.web import Source, Unusable

# What a double precision column holds with room to spare, in whatever unit.
Figure = Annotated[Decimal, Field(gt=Decimal("1e-9"), lt=Decimal("1e30"), allow_inf_nan=False)]
Height = Annotated[int, Field(strict=True, gt=0, le=LAST_REWARDED_HEIGHT)]

# In seconds since 1970, so that one in milliseconds is of the future.
Moment = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]

# How old, in seconds, an answer may be. Prices are of the minute. A block comes every ten minutes on average, one in
# six hours hardly ever, and its own clock may be two hours ahead of everybody's (Bitcoin Core, chain.h:
# MAX_FUTURE_BLOCK_TIME). The days that a hashrate is averaged over end up to two days ago.
MINUTE, HOUR = 60, 3600
AHEAD = 5 * MINUTE
PRICE_AGE = HOUR
BLOCK_AGE, BLOCK_AHEAD = 6 * HOUR, 2 * HOUR
MINING_AGE = 72 * HOUR

Shape = TypeVar("Shape")


def _is_fresh(moment: Decimal, age: int, ahead: int = AHEAD) -> bool:
    return -ahead <= Decimal(time.time()) - moment <= age


class Prices(BaseModel):
    """mempool.space, GET /api/v1/prices: whole dollars, -1 for want of a price, and when they were had."""

    usd: Figure = Field(alias="USD")
    time: Moment

    def is_fresh(self) -> bool:
        return _is_fresh(self.time, PRICE_AGE)


class Day(BaseModel):
    """A day's average hashrate, of which the moment alone matters."""

    timestamp: Moment


class Mining(BaseModel):
    """mempool.space, GET /api/v1/mining/hashrate/3d: H/s; both are 0 while its node does not answer."""

    hashrate: Figure = Field(alias="currentHashrate")
    difficulty: Figure = Field(alias="currentDifficulty")
    hashrates: Annotated[list[Day], Field(min_length=1)]

    def is_fresh(self) -> bool:
        return _is_fresh(max(day.timestamp for day in self.hashrates), MINING_AGE)


class Ticker(BaseModel):
    """Bitstamp, GET /api/v2/ticker/btcusd/: the last trade in dollars and its moment, as strings."""

    last: Figure
    timestamp: Moment

    def is_fresh(self) -> bool:
        return _is_fresh(self.timestamp, PRICE_AGE)


class Block(BaseModel):
    """Esplora, one of the ten newest of GET /blocks."""

    height: Height
    difficulty: Figure
    timestamp: Moment


def _tip(blocks: list[Block]) -> Block:
    return max(blocks, key=lambda block: block.height)


def _are_fresh(blocks: list[Block]) -> bool:
    return _is_fresh(_tip(blocks).timestamp, BLOCK_AGE, BLOCK_AHEAD)


PRICES = TypeAdapter(Prices)
MINING = TypeAdapter(Mining)
HEIGHT = TypeAdapter[int](Height)  # the whole body of mempool.space's GET /api/blocks/tip/height
TICKER = TypeAdapter(Ticker)
BLOCKS = TypeAdapter[list[Block]](Annotated[list[Block], Field(min_length=1)])


class FirstChoice:
    """Price in USD, difficulty, hashrate in H/s and block reward: asked for when wanted, once, and None if unusable."""

    def __init__(self, mempool: Source, failures: list[str]) -> None:
        self.price_source = self.data_source = mempool.host
        self._mempool = mempool
        self._failures = failures

    @cached_property
    def price(self) -> Decimal | None:
        prices = _answer(self._mempool, "/v1/prices", PRICES, Prices.is_fresh, self._failures)
        return prices.usd if prices else None

    @cached_property
    def _mining(self) -> Mining | None:
        return _answer(self._mempool, "/v1/mining/hashrate/3d", MINING, Mining.is_fresh, self._failures)

    @property
    def difficulty(self) -> Decimal | None:
        return self._mining.difficulty if self._mining else None

    @property
    def hashrate(self) -> Decimal | None:
        return self._mining.hashrate if self._mining else None

    @cached_property
    def reward(self) -> Decimal | None:
        # It has no moment; one that is behind matters at a halving alone, which both sources have to have seen.
        height = _answer(self._mempool, "/blocks/tip/height", HEIGHT, bool, self._failures)
        return block_reward(height) if height else None


class SecondChoice:
    """The same of others, but for the hashrate."""

    def __init__(self, bitstamp: Source, esplora: Source, failures: list[str]) -> None:
        self.price_source = bitstamp.host
        self.data_source = esplora.host
        self._bitstamp = bitstamp
        self._esplora = esplora
        self._failures = failures

    @cached_property
    def price(self) -> Decimal | None:
        ticker = _answer(self._bitstamp, "/ticker/btcusd/", TICKER, Ticker.is_fresh, self._failures)
        return ticker.last if ticker else None

    @cached_property
    def _tip(self) -> Block | None:
        blocks = _answer(self._esplora, "/blocks", BLOCKS, _are_fresh, self._failures)
        return _tip(blocks) if blocks else None

    @property
    def difficulty(self) -> Decimal | None:
        return self._tip.difficulty if self._tip else None

    @property
    def reward(self) -> Decimal | None:
        return block_reward(self._tip.height) if self._tip else None


def _answer(
    source: Source, path: str, shape: TypeAdapter[Shape], is_fresh: Callable[[Shape], bool], failures: list[str]
) -> Shape | None:
    try:
        answer = shape.validate_json(source.get(path))
        if is_fresh(answer):
            return answer
        reason = "not of now"
    except Unusable as failure:
        reason = str(failure)
    except ValidationError:
        reason = "not the expected figures"
    failures.append(f"{source.host}: {path}: {reason}")
    return None
