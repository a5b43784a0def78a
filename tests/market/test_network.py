"""The network's own rules: what a block pays, and until when."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from crm_services.market.network import BLOCKS_PER_HALVING, LAST_REWARDED_HEIGHT, block_reward

heights = st.integers(0, LAST_REWARDED_HEIGHT)


@given(heights)
def test_the_reward_halves_every_210_000_blocks_to_the_satoshi(height: int) -> None:
    now, then = block_reward(height), block_reward(height + BLOCKS_PER_HALVING)

    assert then == (now * 10**8 // 2) / 10**8
    assert now >= block_reward(height + 1) >= then


def test_the_rewards_of_the_known_eras_and_their_last_blocks() -> None:
    eras = {0: "50", 210_000: "25", 420_000: "12.5", 630_000: "6.25", 840_000: "3.125", 1_050_000: "1.5625"}
    for height, reward in eras.items():
        assert block_reward(height) == block_reward(height + 209_999) == Decimal(reward)
    assert block_reward(LAST_REWARDED_HEIGHT) == Decimal("1e-8")
    assert block_reward(LAST_REWARDED_HEIGHT + 1) == 0


def test_all_rewards_together_are_just_under_21_million() -> None:
    eras = range(0, LAST_REWARDED_HEIGHT, BLOCKS_PER_HALVING)

    assert sum(block_reward(height) for height in eras) * BLOCKS_PER_HALVING == Decimal("20999999.9769")
