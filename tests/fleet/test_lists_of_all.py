"""Who sees all customers gets the pages that a tenant gets of the same ones, though by an index and a function."""

import json

import pytest

from local.environment import ROOT
from tests.support.client import Client
from tests.support.crm import Crm

PATH = "/crm/api/hosting/customers"
SEARCH_INDEX = ROOT / "shared" / "crm_services" / "postgres" / "sql" / "search_index.sql"

# Most have a profit that others have too, every seventh was never synced.
FILL = """
insert into crm_customers (name, company, created_by_id, hosting_net_profit_daily)
select case i when {customers} then 'Åse 100%_fjord \\ last' else 'Customer ' || i end,
       case when i % 2 = 0 then 'Even' end, {owner}, case when i % 7 > 0 then (i % 50 - 20) * 1.25 end
from generate_series(1, {customers}) i
"""


def of_everybody(crm: Crm, customers: int) -> tuple[int, int]:
    """An owner of so many customers, and an admin who sees no others."""
    owner, admin = crm.account(role="mining_site_owner"), crm.account(role="admin")
    crm.db.run(FILL.format(customers=customers, owner=owner))
    return owner, admin


def page(client: Client, who: int, query: str) -> tuple[list[int], str | None]:
    answer = json.loads(client.get(f"{PATH}?{query}", who).get_data())
    return [one["id"] for one in answer["data"]], answer["next"]


@pytest.mark.parametrize("limit", [1, 7, 33])
def test_the_pages_of_all_are_those_of_a_tenant_who_has_all(client: Client, crm: Crm, limit: int) -> None:
    owner, admin = of_everybody(crm, 60)
    seen: list[int] = []
    place: str | None = ""

    while place is not None:
        after = f"&after={place}" if place else ""
        ids, following = page(client, admin, f"limit={limit}{after}")
        assert (ids, following) == page(client, owner, f"limit={limit}{after}")
        seen, place = seen + ids, following

    by_profit = "select id from crm_customers order by hosting_net_profit_daily desc nulls last, id"
    assert seen == [id_ for (id_,) in crm.db.run(by_profit)]


@pytest.mark.parametrize(
    "after", ["0.01:5", "99999:1", "-99999:1", "-25:60", ":3", ":0", ":9999999999", "5:9999999999"]
)
def test_a_page_goes_on_after_a_place_at_which_nobody_stands(client: Client, crm: Crm, after: str) -> None:
    owner, admin = of_everybody(crm, 60)

    assert page(client, admin, f"limit=9&after={after}") == page(client, owner, f"limit=9&after={after}")


@pytest.mark.parametrize("has_index", [False, True], ids=["without the optional index", "with it"])
def test_a_search_of_all_finds_what_is_common_what_is_rare_and_what_looks_like_a_pattern(
    client: Client, crm: Crm, has_index: bool
) -> None:
    owner, admin = of_everybody(crm, 7_000)  # more than the next that are looked at first
    if has_index:
        for statement in SEARCH_INDEX.read_text(encoding="utf-8").split(";")[:-1]:
            crm.db.run(statement)
    crm.db.run("analyze")
    for search in ("customer", "EVEN", "åse", "%25_", "%5C", "_", "r 6993", "7", "nobody", "customer 6"):
        for after in ("", "&after=1.25:100", "&after=:3000"):
            query = f"limit=5&search={search}{after}"
            assert page(client, admin, query) == page(client, owner, query), query
    assert len(page(client, admin, "search=fjord")[0]) == 1


def test_one_page_of_all_reads_few_customers(client: Client, crm: Crm) -> None:
    _, admin = of_everybody(crm, 7_000)
    crm.db.run("analyze")
    plan = "\n".join(line for (line,) in crm.db.run(
        "explain select id from crm_customers where (coalesce(-hosting_net_profit_daily, 'Infinity'), id) > (-5, 9)"
        " order by coalesce(-hosting_net_profit_daily, 'Infinity'), id limit 51"
    ))  # fmt: skip

    assert "using crm_hosting_customer_profit" in plan
    assert len(page(client, admin, "limit=50")[0]) == 50
