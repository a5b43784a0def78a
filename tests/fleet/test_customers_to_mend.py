"""The customers of whose machines a sync found what is to be mended: as many as sync-status counts, in scope."""

import json
from typing import Any, get_args

import pytest

from crm_services.fleet.customers import Finding
from crm_services.http.schemas.fleet import CustomersAnswer
from tests.support.client import Client, data
from tests.support.crm import Crm

PATH = "/crm/api/hosting/customers"
UNLIKELY = "finding=unlikely_figure"

MACHINES: dict[str, dict[str, Any]] = {
    "unusable_figure": {"actual_hashrate": float("nan")},
    "unknown_status": {"status": "zzz"},
    "unlikely_figure": {"electricity_cost": 5.0},
}
# Customers without machines, of whom those from an id on have the finding, whatever else comes with it.
FILL = """
insert into crm_customers (name, created_by_id, hosting_net_profit_daily)
  select 'Customer ' || i, {owner}, case when i % 7 > 0 then -i / 4 end from generate_series(1, {customers}) i;
insert into crm_hosting.findings (customer_id, kind)
  select id, 'unlikely_figure' from (
    select id, row_number() over (order by hosting_net_profit_daily desc nulls last, id) as place from crm_customers) c
  where place {which};
insert into crm_hosting.findings (customer_id, kind) select id, 'unknown_status' from crm_customers where id % 2 = 0;
analyze
"""


def listed(client: Client, who: int, query: str) -> list[int]:
    return [one["id"] for one in data(client.get(f"{PATH}?{query}", who))]


def walked(client: Client, who: int, query: str) -> list[int]:
    """The ids of all pages."""
    ids: list[int] = []
    place: str | None = ""
    while place is not None:
        after = f"&after={place}" if place else ""
        answer = json.loads(client.get(f"{PATH}?{query}{after}", who).get_data())
        ids += [one["id"] for one in answer["data"]]
        place = answer["next"]
    return ids


def test_each_finding_lists_the_customers_that_have_it_as_many_as_sync_status_counts(client: Client, crm: Crm) -> None:
    owner, other, admin = (crm.account(role=role) for role in ("mining_site_owner", "mining_site_owner", "admin"))
    crm.snapshot()
    by_finding = {
        kind: [crm.linked_customer(whose, **machines) for whose in (owner, other, owner)]
        for kind, machines in MACHINES.items()
    }
    crm.linked_customer(owner)
    gone = crm.linked_customer(other, status="zzz")
    data(client.post("/crm/api/sync-all-hosting", admin))
    crm.db.run("delete from crm_customers where id = :id", id=gone)

    for who, mine in ((admin, slice(0, 3)), (owner, slice(0, 3, 2)), (other, slice(1, 2))):
        status = data(client.get("/crm/api/sync-status", who, accept_language="en"))
        told = dict(zip(status["causes"], status["issues"], strict=True))
        for kind, customers in by_finding.items():
            found = data(client.get(f"{PATH}?finding={kind}", who))
            assert sorted(one["id"] for one in found) == customers[mine]
            assert all(one["findings"] == [kind] for one in found)
            assert told[kind].endswith(f": {len(found)}")
    everybody = json.loads(client.get(PATH, admin).get_data())
    CustomersAnswer.model_validate(everybody)
    assert [one["findings"] for one in everybody["data"]].count([]) == 1


def test_what_is_mended_is_listed_no_longer_once_it_is_synced(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    crm.snapshot()
    customer = crm.linked_customer(actual_hashrate=1e6, actual_power=-1, status="zzz")
    data(client.post("/crm/api/sync-all-hosting", admin))
    [row] = data(client.get(f"{PATH}?customer={customer}&{UNLIKELY}", admin))
    assert row["findings"] == ["unknown_status", "unlikely_figure", "unusable_figure"]

    crm.db.run("update user_miners set actual_hashrate = 200, actual_power = 3500, status = 'online'")
    assert client.post(f"/crm/api/customer/{customer}/sync-hosting", admin).status_code == 200

    assert all(listed(client, admin, f"finding={kind}") == [] for kind in get_args(Finding))
    assert data(client.get(f"{PATH}?customer={customer}", admin))[0]["findings"] == []


@pytest.mark.parametrize(
    ("customers", "which"),
    [
        (60, "% 3 = 0"),
        (60, "> 0"),
        (60, "< 0"),
        (6_000, "> 5990"),
        (11_000, "< 5100 or place > 10990"),
        (11_000, "> 5900"),
    ],
    ids=["some", "all", "none", "few of many", "many", "many but none of the next"],
)
def test_the_pages_of_all_are_those_of_a_tenant_who_has_all(
    client: Client, crm: Crm, customers: int, which: str
) -> None:
    owner, admin = crm.account(role="mining_site_owner"), crm.account(role="admin")
    crm.db.run(FILL.format(owner=owner, customers=customers, which=which))
    expected = [id_ for (id_,) in crm.db.run(
        "select id from crm_customers c join crm_hosting.findings on customer_id = id and kind = 'unlikely_figure'"
        " order by hosting_net_profit_daily desc nulls last, id"
    )]  # fmt: skip
    limit = 7 if customers < 100 else 1000

    assert walked(client, admin, f"{UNLIKELY}&limit={limit}") == expected
    for query in ("limit=5", "limit=5&after=-1470.00:5", "limit=5&after=:0", "limit=20&search=7", "search=nobody"):
        found = listed(client, admin, f"{UNLIKELY}&{query}")
        assert found == listed(client, owner, f"{UNLIKELY}&{query}"), query
        assert set(found) <= set(expected)


@pytest.mark.parametrize("kind", ["shared_across_owners", "ambiguous_email", "link_lost", "x", "unusable_figure%00"])
def test_what_is_no_finding_of_machines_is_refused_and_what_there_is_is_named(
    client: Client, crm: Crm, kind: str
) -> None:
    answer = client.get(f"{PATH}?finding={kind}", crm.account(role="admin"), accept_language="en")

    assert answer.status_code == 400
    assert answer.json
    assert answer.json["error"].endswith(
        "finding is not valid; allowed: unusable_figure, unknown_status, unlikely_figure"
    )


def test_a_spreadsheet_has_the_findings_of_each_customer(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    crm.snapshot()
    crm.linked_customer(electricity_cost=5.0)
    crm.linked_customer()
    data(client.post("/crm/api/sync-all-hosting", admin))

    lines = client.get(f"{PATH}?{UNLIKELY}&format=csv", admin).get_data(as_text=True).splitlines()

    assert len(lines) == 2
    assert lines[0].endswith(",findings")
    assert lines[1].endswith('"[""unlikely_figure""]"')
