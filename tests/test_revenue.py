"""The laws of the formula, for any difficulty, price and fleet; and that the statements obey them to the last place."""

import json
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_services.revenue import (
    BLOCKS_PER_HALVING,
    HASHES_PER_TERAHASH,
    LAST_REWARDED_HEIGHT,
    block_reward,
    btc_per_terahash_day,
    hashrate_at_target,
)
from tests.client import Client
from tests.crm import Crm

PRECISION = Decimal("1e-24")  # relative; the context computes with 28 digits

difficulties = st.decimals("1", "1e18", places=2)
rewards = st.integers(0, 9).map(lambda halvings: Decimal(50) / 2**halvings)
heights = st.integers(0, LAST_REWARDED_HEIGHT)


def is_equal(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= PRECISION * abs(other)


@given(difficulties, rewards)
def test_the_whole_network_earns_144_blocks_a_day_at_the_target(difficulty: Decimal, reward: Decimal) -> None:
    terahashes = hashrate_at_target(difficulty) / HASHES_PER_TERAHASH

    assert is_equal(terahashes * btc_per_terahash_day(difficulty, reward), 144 * reward)


@given(difficulties, rewards, st.integers(1, 1000))
def test_a_difficulty_so_many_times_higher_earns_so_many_times_less(
    difficulty: Decimal, reward: Decimal, times: int
) -> None:
    assert is_equal(btc_per_terahash_day(difficulty * times, reward) * times, btc_per_terahash_day(difficulty, reward))


def test_a_terahash_in_april_2024() -> None:
    # 86,400 * 10^12 / (86.39e12 * 2^32) * 3.125, worked out by hand to four digits.
    assert round(btc_per_terahash_day(Decimal("86388558925171.02"), Decimal("3.125")), 11) == Decimal("7.2769E-7")


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


# The statements round to 8 places of a bitcoin and 2 of a dollar: each figure is off by half a unit at most.
SATOSHI, CENT = Decimal("1e-8"), Decimal("0.01")
fleets = st.tuples(st.integers(1, 10_000), st.integers(1, 10_000))
prices = st.tuples(st.integers(1_000, 1_000_000), st.integers(1_000, 1_000_000))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fleets, prices)
def test_the_estimates_are_linear_in_hashrate_and_the_price_cancels_in_bitcoin(
    client: Client, crm: Crm, fleets: tuple[int, int], prices: tuple[int, int]
) -> None:
    admin = crm.account(role="admin")
    customers = [crm.linked_customer(quantity=quantity) for quantity in (*fleets, sum(fleets))]

    def estimates(price: int) -> tuple[list[Decimal], list[Decimal]]:
        crm.snapshot(price)
        answers = [client.get(f"/crm/api/customer/{customer}/hosting-stats", admin) for customer in customers]
        stats = [json.loads(answer.get_data(), parse_float=Decimal)["data"] for answer in answers]
        bitcoin, dollars = ([one[f"estimated_daily_{unit}"] for one in stats] for unit in ("btc", "usd"))
        assert all(
            abs(usd - btc * price) <= (CENT + SATOSHI * price) / 2 for btc, usd in zip(bitcoin, dollars, strict=True)
        )
        return bitcoin, dollars

    (bitcoin, dollars), (at_another_price, _) = map(estimates, prices)

    assert abs(bitcoin[2] - bitcoin[0] - bitcoin[1]) <= SATOSHI * 3 / 2
    assert abs(dollars[2] - dollars[0] - dollars[1]) <= CENT * 3 / 2
    assert at_another_price == bitcoin
