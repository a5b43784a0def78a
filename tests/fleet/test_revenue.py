"""The laws of the formula, for any difficulty, price and fleet; and that the statements obey them to the last place."""

import json
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_services.market.network import hashrate_at_target
from tests.support.client import Client
from tests.support.crm import Crm

PRECISION = Decimal("1e-24")  # relative; the context computes with 28 digits

difficulties = st.decimals("1", "1e18", places=2)
rewards = st.integers(0, 9).map(lambda halvings: Decimal(50) / 2**halvings)
# The figures are worked out in the database, which stays the same from one example to the next.
by_the_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def btc_per_terahash_day(crm: Crm, difficulty: Decimal, reward: Decimal) -> Decimal:
    sql = "select crm_hosting.btc_per_terahash_day(:difficulty::numeric, :reward::numeric)"
    earned: Decimal = crm.db.run(sql, difficulty=difficulty, reward=reward)[0][0]
    return earned


def is_equal(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= PRECISION * abs(other)


@by_the_database
@given(difficulties, rewards)
def test_the_whole_network_earns_144_blocks_a_day_at_the_target(crm: Crm, difficulty: Decimal, reward: Decimal) -> None:
    terahashes = hashrate_at_target(difficulty) / 10**12

    assert is_equal(terahashes * btc_per_terahash_day(crm, difficulty, reward), 144 * reward)


@by_the_database
@given(difficulties, rewards, st.integers(1, 1000))
def test_a_difficulty_so_many_times_higher_earns_so_many_times_less(
    crm: Crm, difficulty: Decimal, reward: Decimal, times: int
) -> None:
    one, other = (btc_per_terahash_day(crm, difficulty * factor, reward) for factor in (1, times))

    assert is_equal(other * times, one)


def test_a_terahash_in_april_2024(crm: Crm) -> None:
    # 86,400 * 10^12 / (86.39e12 * 2^32) * 3.125, worked out by hand to four digits.
    earned = btc_per_terahash_day(crm, Decimal("86388558925171.02"), Decimal("3.125"))

    assert round(earned, 11) == Decimal("7.2769E-7")


# The statements round to 8 places of a bitcoin and 2 of a dollar: each figure is off by half a unit at most.
SATOSHI, CENT = Decimal("1e-8"), Decimal("0.01")
fleets = st.tuples(st.integers(1, 10_000), st.integers(1, 10_000))
prices = st.tuples(st.integers(1_000, 1_000_000), st.integers(1_000, 1_000_000))


@settings(by_the_database, max_examples=25)
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
