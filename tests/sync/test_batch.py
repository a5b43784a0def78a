"""The batch: one customer's trouble is its own, and nothing is lost or done twice."""

from collections.abc import Iterator
from itertools import repeat
from math import log2
from typing import Any

import pytest
from pg8000.native import Connection

from crm_services.access.entry import SCOPE_TO
from crm_services.base.errors import ConnectionLost, QueryFailed
from crm_services.postgres.database import database
from crm_services.sync import batch, patience, ranges, worker
from crm_services.sync.batch import TimeLimit
from crm_services.sync.claims import Claim
from crm_services.sync.counts import Counts
from local.postgres import Server, connect
from tests.support.crm import Crm
from tests.support.runs import failures, runs, time_for

pytestmark = pytest.mark.usefixtures("environment")

SOLVENT = "alter table crm_customers add constraint solvent check (hosting_net_profit_daily >= 0)"
TOO_DEAR: dict[str, Any] = {"electricity_cost": 5.0}


@pytest.fixture
def another(postgres: Server, database_name: str) -> Iterator[Connection]:
    """A second connection of the CRM."""
    with connect(postgres.url(database_name, "crm")) as connection:
        yield connection


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects how many customers each of the worker's statements was for, the failed ones included."""
    sizes: list[int] = []

    def counted(transaction: Any, after: int, upto: int, *rest: Any, **more: Any) -> Any:
        sizes.append(upto - after)
        return ranges.sync_range(transaction, after, upto, *rest, **more)

    monkeypatch.setattr(worker, "sync_range", counted)
    return sizes


def run(**more: Any) -> Counts:
    return batch.run(database, None, "console", **more).counts


def test_every_customer_is_synced_skipped_or_an_error(crm: Crm, owner: Connection) -> None:
    crm.snapshot()
    owner.run(SOLVENT)
    crm.linked_customer()
    crm.linked_customer(**TOO_DEAR)
    crm.customer("nobody@example.com")
    crm.account("empty@example.com")
    crm.customer("empty@example.com")

    assert run() == Counts(total=4, linked=3, synced=1, skipped=2, errors=1, changed=1)


def test_what_did_not_change_is_not_written(crm: Crm, owner: Connection) -> None:
    crm.snapshot()
    customer = crm.linked_customer()
    run()
    [[before]] = owner.run("select xmin::text from crm_customers where id = :id", id=customer)

    assert run().changed == 0
    assert owner.run("select xmin::text from crm_customers where id = :id", id=customer) == [[before]]


def test_updated_at_is_left_to_people(crm: Crm) -> None:
    customer = crm.linked_customer()
    before = crm.row(customer)["updated_at"]
    run()
    assert crm.row(customer)["updated_at"] == before


def test_a_customer_that_the_crm_refuses_costs_itself_alone(crm: Crm, owner: Connection, chunks: list[int]) -> None:
    crm.snapshot()
    owner.run(SOLVENT)
    customers = [crm.linked_customer(**(TOO_DEAR if number == 23 else {})) for number in range(64)]

    counts = run()

    assert (counts.synced, counts.errors) == (63, 1)
    assert failures(owner) == [(customers[23], "23514", "solvent")]
    assert len(chunks) <= 1 + log2(64) + 3
    assert all(crm.row(customer)["miners_count"] == 1 for customer in customers if customer != customers[23])


def test_a_trigger_that_refuses_and_a_number_out_of_range_are_customers_errors_too(crm: Crm, owner: Connection) -> None:
    crm.snapshot()
    frozen, huge, ordinary = (crm.linked_customer(quantity=quantity) for quantity in (1, 2**31 - 1, 1))
    owner.run("update crm_customers set name = 'frozen' where id = :id", id=frozen)
    [[account]] = owner.run("select user_id from user_miners where quantity > 1")
    crm.miners(account, quantity=2)
    owner.run("""
        create function refuse() returns trigger language plpgsql as $$
        begin if new.name = 'frozen' then raise exception 'secret of %', new.email; end if; return new; end $$;
        create trigger refuse before update on crm_customers for each row execute function refuse();
    """)

    counts = run()

    assert (counts.synced, counts.errors) == (1, 2)
    assert set(failures(owner)) == {(frozen, "P0001", None), (huge, "22003", None)}
    assert crm.row(ordinary)["miners_count"] == 1


def test_where_the_crm_refuses_every_customer_the_run_ends_all_the_same(crm: Crm, owner: Connection) -> None:
    crm.snapshot()
    owner.run(SOLVENT)
    for _ in range(20):
        crm.linked_customer(**TOO_DEAR)
    assert (run().errors, runs(owner)[0]["state"]) == (20, "completed")


def test_a_locked_row_delays_nobody_and_is_tried_again_at_the_end(
    crm: Crm, owner: Connection, another: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    customers = [crm.linked_customer() for _ in range(6)]
    another.run("begin")
    another.run("select from crm_customers where id = :id for update", id=customers[0])

    def let_go_after(chunks: int) -> Iterator[bool]:
        for number in range(100):
            if number == chunks:
                assert failures(owner) == [(customers[0], "55P03", None)]
                another.run("rollback")
            yield True

    clock = let_go_after(3)
    counts = run(limit=TimeLimit(lambda: next(clock)))

    assert counts == Counts(total=6, linked=6, synced=6, changed=6)
    assert failures(owner) == []


def test_a_row_that_stays_locked_is_recorded_and_its_neighbours_are_synced(
    crm: Crm, owner: Connection, another: Connection
) -> None:
    first, second = crm.linked_customer(), crm.linked_customer()
    another.run("begin")
    another.run("select from crm_customers where id = :id for update", id=first)

    counts = run()

    assert (counts.synced, counts.errors) == (1, 1)
    assert failures(owner) == [(first, "55P03", None)]
    assert (crm.row(first)["miners_count"], crm.row(second)["miners_count"]) == (0, 1)


def test_rows_that_were_locked_and_then_refused_are_told_apart_at_the_end(
    crm: Crm, owner: Connection, another: Connection
) -> None:
    crm.snapshot()
    owner.run(SOLVENT)
    customers = [crm.linked_customer(**(TOO_DEAR if number == 1 else {})) for number in range(4)]
    another.run("begin")
    another.run("select from crm_customers for update")

    def let_go_before_the_end() -> Iterator[bool]:
        yield True
        another.run("rollback")
        yield from repeat(True)

    clock = let_go_before_the_end()
    counts = run(limit=TimeLimit(lambda: next(clock)))

    assert counts == Counts(total=4, linked=4, synced=3, errors=1, changed=3)
    assert failures(owner) == [(customers[1], "23514", "solvent")]


def test_only_the_rows_that_change_are_locked(crm: Crm, another: Connection) -> None:
    unchanged, unlinked = crm.linked_customer(), crm.customer("nobody@example.com")
    run()
    changed = crm.linked_customer()

    with database.transaction() as transaction:
        transaction.rows(SCOPE_TO, tenant_id=None)
        assert ranges.sync_range(transaction, 0, changed).changed == 1
        free = another.run("select id from crm_customers order by id for no key update skip locked")

    assert free == [[unchanged], [unlinked]]


def test_findings_are_noted_and_forgotten_when_they_are_mended(crm: Crm, owner: Connection) -> None:
    for email in ("twice@example.com", "TWICE@example.com"):
        crm.miners(crm.account(email))
    customer = crm.customer("twice@example.com")
    odd = crm.linked_customer(status="retired", electricity_cost=float("nan"))
    run()
    findings = "select customer_id, kind from crm_hosting.findings order by 1, 2"
    expected = [[customer, "ambiguous_email"], [odd, "unknown_status"], [odd, "unusable_figure"]]
    assert owner.run(findings) == expected

    owner.run("update user_miners set status = 'active', electricity_cost = 0")
    run()
    assert owner.run(findings) == expected[:1]


def test_a_chunk_is_repeated_after_a_deadlock(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0, 0))
    crm.linked_customer()
    troubles = iter([QueryFailed("40P01"), ConnectionLost()])

    def troubled(*given: Any, **more: Any) -> Any:
        if trouble := next(troubles, None):
            raise trouble
        return ranges.sync_range(*given, **more)

    monkeypatch.setattr(worker, "sync_range", troubled)
    assert run() == Counts(total=1, linked=1, synced=1, changed=1)


def test_what_is_nobodys_fault_ends_the_run_as_failed(crm: Crm, owner: Connection) -> None:
    crm.linked_customer()
    owner.run("alter table crm_customers rename to hidden")  # a function that names it fails

    with pytest.raises(QueryFailed):
        run()

    [failed] = runs(owner)
    assert (failed["state"], failed["failure"], failed["total"]) == ("failed", "42P01", 0)


def test_a_commit_whose_answer_was_lost_is_not_repeated(
    crm: Crm, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0,))
    for _ in range(3):
        crm.linked_customer()
    move = Claim.move
    lost = iter([True])

    def commit_and_lose_the_connection(self: Any, transaction: Any, *rest: Any) -> None:
        move(self, transaction, *rest)
        if next(lost, False):
            transaction.commit()
            raise ConnectionLost

    monkeypatch.setattr(Claim, "move", commit_and_lose_the_connection)
    assert run() == Counts(total=3, linked=3, synced=3, changed=3)


def test_a_run_out_of_time_is_partial_and_counts_what_it_did(
    crm: Crm, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    for _ in range(5):
        crm.linked_customer()

    outcome = batch.run(database, None, "schedule", limit=TimeLimit(time_for(chunks=2)))

    assert (outcome.state, outcome.counts.synced, outcome.remaining) == ("partial", 4, 1)
    assert (runs(owner)[0]["state"], runs(owner)[0]["cursor"]) == ("partial", 4)


def test_old_runs_are_pruned_but_the_last_completed_one_of_each_scope(
    crm: Crm, owner: Connection, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("RUN_RETENTION_DAYS", "7")
    tenant = crm.account(role="mining_site_owner")
    for of in (tenant, tenant, None):
        batch.run(database, of, "console")
    owner.run("update crm_hosting.runs set started_at = now() - interval '8 days'")
    owner.run("insert into crm_hosting.run_errors values (1, 1, '23514')")

    run()

    assert [(one["id"], one["tenant_id"]) for one in runs(owner)] == [(2, tenant), (4, None)]
    assert failures(owner) == []
