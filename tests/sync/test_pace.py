"""How a stretch of customers is narrowed down to those at fault."""

from math import log2
from random import Random

import pytest

from crm_services.sync.pace import Pace

CHUNK = 10_000


def statements(customers: int, at_fault: set[int]) -> int:
    """How many statements a run needs; fails where a customer is passed over wrongly or not at all."""
    pace, done, count, passed_over = Pace(CHUNK), 0, 0, set()
    while done < customers:
        size = min(pace.size, customers - done)
        assert 1 <= size <= CHUNK
        count += 1
        if not at_fault.isdisjoint(range(done, done + size)):
            if not pace.failed(size):
                continue
            passed_over.add(done)
        else:
            pace.went_well(size)
        done += size
    assert passed_over == at_fault
    return count


def test_customers_without_fault_take_a_statement_a_chunk() -> None:
    assert statements(10 * CHUNK, set()) == 10


@pytest.mark.parametrize("position", [0, 1, 4_999, 5_000, 7_777, 9_999])
def test_one_customer_at_fault_costs_about_log2_of_the_chunk(position: int) -> None:
    assert statements(CHUNK, {position}) <= 1 + log2(CHUNK) + 3


@pytest.mark.parametrize("faults", [2, 5, 20, 100])
def test_several_at_fault_cost_about_log2_of_the_chunk_each(faults: int) -> None:
    for seed in range(20):
        at_fault = set(Random(seed).sample(range(CHUNK), faults))  # noqa: S311
        assert statements(CHUNK, at_fault) <= 1 + faults * (log2(CHUNK) + 4)


def test_where_all_are_at_fault_each_is_tried_alone() -> None:
    assert statements(1_000, set(range(1_000))) <= 1_000 + 2 * log2(1_000)


def test_after_a_fault_it_soon_takes_whole_chunks_again() -> None:
    assert statements(100 * CHUNK, {5}) <= 100 + log2(CHUNK) + 3
