"""The demo's data, counted without any of the bundle's SQL."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pg8000.native import Connection

from local import demo, people
from local.crm_rows import CLOCK
from local.postgres import Server, connect, create_database

CRM_TABLES = Path(demo.__file__).with_name("crm.sql")
WHITE_SPACE = " \t\r\n\u00a0\u3000"


@pytest.fixture(scope="module")
def url(postgres: Server) -> str:
    create_database(postgres, "demo")
    url = postgres.url("demo")
    with connect(url) as db:
        db.run(CRM_TABLES.read_text(encoding="utf-8"))
    demo.load(url)
    return url


@pytest.fixture
def db(url: str) -> Iterator[Connection]:
    with connect(url) as connection:
        yield connection


def key(email: str | None) -> str:
    return (email or "").strip(WHITE_SPACE).lower()


class Link(NamedTuple):
    customer: int
    email: str
    owner: int | None
    account: int
    opened_by: int | None


def linked(db: Connection) -> list[Link]:
    """The customers that the CRM names an account for, and those whose address is an account's."""
    accounts = db.run("select id, email, created_by_id from user_access")
    opened_by = {id_: creator for id_, _, creator in accounts}
    by_key = {key(email): id_ for id_, email, _ in accounts}
    links = []
    customers = db.run("select id, email, created_by_id, user_account_id from crm_customers order by id")
    for id_, email, owner, named in customers:
        if account := named or by_key.get(key(email)):
            links.append(Link(id_, email, owner, account, opened_by[account]))
    return links


def test_45_of_150_customers_have_an_account(db: Connection) -> None:
    assert db.run("select count(*) from crm_customers") == [[150]]
    assert len(linked(db)) == 45


def test_one_address_is_ambiguous(db: Connection) -> None:
    keys = Counter(key(email) for (email,) in db.run("select email from user_access"))

    assert sorted(keys.values())[-2:] == [1, 2]
    assert "" not in keys


def test_addresses_are_typed_as_people_type_them(db: Connection) -> None:
    emails = [link.email for link in linked(db)]

    assert sum(email.strip(WHITE_SPACE) != email for email in emails) > 20
    assert sum(key(email) != email.strip(WHITE_SPACE) for email in emails) > 15
    assert {character for email in emails for character in email if character in WHITE_SPACE} == set(WHITE_SPACE)


def test_every_linked_account_but_one_has_machines_and_only_some_of_them_run(db: Connection) -> None:
    batches = Counter(account for (account,) in db.run("select user_id from user_miners"))
    statuses = Counter(status for (status,) in db.run("select status from user_miners"))
    fleets = sorted(batches[link.account] for link in linked(db))

    assert [*fleets[:2], fleets[-1]] == [0, 1, 60]
    assert set(statuses) == {"manual", "online", "offline", "maintenance", "error"}
    assert statuses.most_common(1)[0][0] == "manual"
    assert statuses["manual"] + statuses["online"] > 0.8 * sum(statuses.values())


def test_every_linked_account_but_that_one_has_hosted_machines_too_and_not_all_are_approved(db: Connection) -> None:
    owners = {account for (account,) in db.run("select customer_id from hosting_miners")}
    approved = Counter(status for (status,) in db.run("select approval_status from hosting_miners"))

    assert len({link.account for link in linked(db)} - owners) == 1
    assert approved["approved"] > 10 * approved["pending_approval"] > 0


def test_the_collector_has_read_good_machines_and_bad_ones_and_kept_thirty_days(db: Connection) -> None:
    [[machines, silent, never, low]] = db.run(
        "select count(*), count(*) filter (where not cgminer_online),"
        " count(*) filter (where not cgminer_online and last_seen is null),"
        " count(*) filter (where cgminer_online and actual_hashrate < 0.8 * reference_hashrate)"
        " from hosting_miners h join miner_models m on m.id = h.miner_model_id where approval_status = 'approved'"
    )
    kept = "select count(distinct miner_id), count(distinct day), max(day) - current_date from telemetry_daily"

    assert 0 < never < silent < machines / 4
    assert 0 < low < machines / 10
    assert db.run(kept) == [[machines, 30, -1]]


def test_two_mine_owners_have_most_of_the_customers(db: Connection) -> None:
    owners = Counter(owner for (owner,) in db.run("select created_by_id from crm_customers"))
    links = linked(db)

    assert set(owners) == {people.MINE_OWNER.id, people.OTHER_MINE_OWNER.id, None}
    assert owners[None] < 10
    assert links[0].customer == people.FIRST_CUSTOMER
    assert links[0].owner == people.MINE_OWNER.id


def test_most_accounts_name_no_creator_and_those_that_do_are_linked_by_their_id(db: Connection) -> None:
    opened = [link for link in linked(db) if link.opened_by and link.customer != 91]  # the other owner's account
    named = db.run("select id, user_account_id from crm_customers where user_account_id is not null order by id")

    emails = dict(db.run("select id, email from user_access"))
    moved = [link for link in opened if key(link.email) != key(emails[link.account])]

    assert 0 < len(moved) < len(opened)
    assert 0 < len(opened) < len(linked(db)) / 2
    assert all(link.opened_by == link.owner for link in opened)
    assert [[link.customer, link.account] for link in opened] == named


def test_the_staff_can_log_in(db: Connection) -> None:
    rows = db.run("select id, name, email, role from user_access where is_active order by id limit 6")

    assert [people.Account(*row) for row in rows] == list(people.STAFF)


def test_a_later_start_appends_the_days_that_are_missing(url: str, db: Connection) -> None:
    kept = "select count(*), count(distinct day) from telemetry_daily"
    [[rows, days]] = db.run(kept)
    db.run("delete from telemetry_daily where day > current_date - 3")
    assert db.run(kept) != [[rows, days]]

    demo.refresh(url)

    assert db.run(kept) == [[rows, days]]


def test_the_data_are_the_same_every_time(url: str, postgres: Server) -> None:
    query = "select jsonb_agg(to_jsonb(m) order by id) from user_miners m"
    create_database(postgres, "demo_again")
    with connect(postgres.url("demo_again")) as again:
        again.run(CRM_TABLES.read_text(encoding="utf-8"))
        demo.load(postgres.url("demo_again"))
        with connect(url) as db:
            assert db.run(query) == again.run(query)


def test_the_next_row_of_each_table_gets_a_free_id(db: Connection) -> None:
    for table in ("user_access", "crm_customers", "miner_models", "user_miners", "network_snapshots"):
        [[free]] = db.run(f"select nextval(pg_get_serial_sequence('{table}', 'id')) > max(id) from {table}")
        assert free, table


def test_the_market_is_hourly_and_minutes_old(db: Connection) -> None:
    [[snapshots, minutes, usable]] = db.run(
        "select count(*), extract(epoch from now() - max(recorded_at) at time zone :clock) / 60,"
        " bool_and(btc_price between 90000 and 100000 and block_reward = 3.125) from network_snapshots",
        clock=CLOCK.key,
    )

    assert snapshots == 48
    assert 5 <= minutes < 10
    assert usable is True


def test_a_later_start_appends_the_snapshots_that_are_missing_and_no_others(url: str, db: Connection) -> None:
    demo.refresh(url)
    assert db.run("select count(*) from network_snapshots") == [[48]]

    db.run("update network_snapshots set recorded_at = recorded_at - interval '3 hours'")
    demo.refresh(url)

    assert db.run("select count(*) from network_snapshots") == [[51]]
