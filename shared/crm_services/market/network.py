"""What the bitcoin network pays for a block, and how much hashing a difficulty calls for."""

from decimal import Decimal

# Expected hashes for a block at difficulty 1: the target of difficulty 1 is 2^224, of 2^256 possible hashes.
# https://en.bitcoin.it/wiki/Difficulty
HASHES_PER_DIFFICULTY = Decimal(2) ** 32
# What the difficulty is adjusted for: a block in ten minutes, 144 a day.
# Bitcoin Core, kernel/chainparams.cpp: nPowTargetSpacing
SECONDS_PER_BLOCK = Decimal(600)
# The reward begins at 50 BTC, in satoshi, and loses its last bit every 210,000 blocks.
# Bitcoin Core, validation.cpp: GetBlockSubsidy; kernel/chainparams.cpp: nSubsidyHalvingInterval
SATOSHI_PER_BITCOIN = 10**8
FIRST_REWARD = 50 * SATOSHI_PER_BITCOIN
BLOCKS_PER_HALVING = 210_000
LAST_REWARDED_HEIGHT = FIRST_REWARD.bit_length() * BLOCKS_PER_HALVING - 1


def block_reward(height: int) -> Decimal:
    """BTC that the block of that height creates; fees come on top and are left out."""
    return Decimal(FIRST_REWARD >> height // BLOCKS_PER_HALVING) / SATOSHI_PER_BITCOIN


def hashrate_at_target(difficulty: Decimal) -> Decimal:
    """The network's hashrate in H/s that finds a block in ten minutes at that difficulty."""
    return difficulty * HASHES_PER_DIFFICULTY / SECONDS_PER_BLOCK
