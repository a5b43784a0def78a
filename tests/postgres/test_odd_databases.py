"""What is only odd about a CRM's database works: its types, its collations, its ids."""

import pytest
from pg8000.native import Connection

from crm_services.postgres.migration import detach, migrate
from crm_services.postgres.target import parse_database_url
from local.postgres import Server
from tests.support.client import Client, data
from tests.support.crm import Crm

ODD = {
    "collations that differ": """
        alter table crm_customers alter column name type varchar(100) collate "POSIX";
        alter table crm_customers alter column company type varchar(200) collate "C";
        alter table user_access alter column email type varchar(256) collate "C";
        alter table user_miners alter column status type varchar(20) collate "POSIX" """,
    "wide ids": """
        alter table crm_customers alter column id type bigint;
        alter table user_access alter column id type bigint;
        alter table user_miners alter column user_id type bigint, alter column id type bigint""",
    "short figures": """
        alter table user_miners alter column quantity type smallint, alter column actual_power type smallint,
          alter column actual_hashrate type real, alter column electricity_cost type real""",
    "statuses of its own": """
        create type public.state as enum ('active', 'manual', 'sold');
        alter table user_miners alter column status drop default, alter column status type public.state
          using status::state;
        alter table crm_customers alter column status drop default, alter column status type public.state
          using status::state""",
    "domains": """
        create domain public.address as varchar(256);
        create domain public.megawatts as numeric(12, 2);
        alter table crm_customers alter column email type address, alter column mining_capacity type megawatts""",
    "domains of domains, and ids of one": """
        create domain public.some_text as text;
        create domain public.address as some_text check (value <> '');
        create domain public.number as integer check (value > 0);
        alter table user_access alter column email type address, alter column id type number;
        alter table crm_customers alter column email type address, alter column id type number,
          alter column created_by_id type number;
        alter table user_miners alter column user_id type number""",
    "times with a zone": """
        alter table user_access alter column expires_at type timestamptz;
        alter table user_miners alter column created_at type timestamptz""",
}


@pytest.fixture
def change(owner: Connection, postgres: Server, database_name: str, odd: str) -> None:
    target = parse_database_url(postgres.url(database_name))
    detach(target)
    owner.run(ODD[odd])
    migrate(target)
    assert migrate(target) == []


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize("odd", ODD)
def test_it_is_served_synced_and_not_written_twice(client: Client, crm: Crm, owner: Connection) -> None:
    admin = crm.account(role="admin")
    customer = crm.linked_customer(quantity=3)
    crm.snapshot()

    assert client.post(f"/crm/api/customer/{customer}/sync-hosting", admin).status_code == 200
    written = crm.row(customer)
    everybody = data(client.post("/crm/api/sync-all-hosting", admin))
    [listed] = data(client.get("/crm/api/hosting/customers?search=CUSTOMER", admin))
    stats = data(client.get(f"/crm/api/customer/{customer}/hosting-stats", admin))
    miners = data(client.get(f"/crm/api/customer/{customer}/hosting-miners", admin))
    status = data(client.get("/crm/api/sync-status", admin))

    assert (everybody["synced"], everybody["errors"]) == (1, 0)
    assert crm.row(customer) == written
    assert (written["miners_count"], listed["id"], stats["active_miners"], len(miners)) == (3, customer, 3, 1)
    assert status["linked_customers"] == 1
    for path in (
        "hosting/customers",
        "hosting/customers?search=nobody",
        "hosting/links?search=linked",
        "hosting/history",
    ):
        assert client.get(f"/crm/api/{path}", admin).status_code == 200, path
    assert client.post("/crm/api/hosting/links/confirm", admin).status_code == 200
    link = f"/crm/api/customer/{crm.customer('typed@example.com')}/hosting-link?account_id={crm.account()}"
    assert [client.ask(method, link, admin).status_code for method in ("PUT", "DELETE")] == [200, 200]


def test_customers_whose_ids_are_not_above_0_are_in_a_run(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    for number in (-2147483647, -1, 0, 1):
        crm.miners(crm.account(f"odd{number}@example.com"))
        crm.customer(f"odd{number}@example.com", id=number)

    preview = data(client.post("/crm/api/sync-all-hosting?dry_run=true", admin))
    everybody = data(client.post("/crm/api/sync-all-hosting", admin))

    assert (preview["total"], preview["synced"]) == (4, 4)
    assert (everybody["total"], everybody["synced"], everybody["errors"]) == (4, 4, 0)
    assert {crm.row(number)["miners_count"] for number in (-2147483647, -1, 0, 1)} == {1}
