"""What a terahash per second earns: the one place with the formula."""

from decimal import Decimal

HASHES_PER_TERAHASH = Decimal(10) ** 12
SECONDS_PER_DAY = Decimal(86_400)
# Expected hashes for a block at difficulty 1: the target of difficulty 1 is 2^224, of 2^256 possible hashes.
# https://en.bitcoin.it/wiki/Difficulty
HASHES_PER_DIFFICULTY = Decimal(2) ** 32


def btc_per_terahash_day(difficulty: Decimal, block_reward: Decimal) -> Decimal:
    """BTC that 1 TH/s earns in a day on average: hashes a day x BTC a block / hashes a block, to 28 digits."""
    # Multiplied first: what a float8 holds fits into 28 digits, so that the division alone is rounded.
    return HASHES_PER_TERAHASH * SECONDS_PER_DAY * block_reward / (difficulty * HASHES_PER_DIFFICULTY)
