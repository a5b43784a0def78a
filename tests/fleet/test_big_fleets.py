"""Fleets that are too large for one answer."""

import json

import pytest

from tests.support.client import Client, data
from tests.support.conformity import body_of
from tests.support.crm import Crm

LIMIT_OF_LAMBDA = 6 * 1024 * 1024
ROWS = """
insert into user_miners (user_id, miner_model_id, custom_name, location, quantity, actual_hashrate, actual_power,
                         electricity_cost, created_at)
select :account, :model, :name, :location, 1 + i % 100, 100 + i % 7, 3000, 0.05,
       timestamp '2026-01-01' + (i % 1000) * interval '1 hour'
from generate_series(1, :rows) i
"""


def fleet(crm: Crm, rows: int, name: str = "三号厂房 28 架", location: str = "埃塞俄比亚 GERD") -> tuple[int, str]:
    """An admin, and the path of a customer with so many rows, which fifty by fifty are of one moment."""
    account = crm.account("large@example.com")
    crm.db.run(ROWS, account=account, model=crm.model("Antminer S21"), name=name, location=location, rows=rows)
    return crm.account(role="admin"), f"/crm/api/customer/{crm.customer('large@example.com')}"


def walk(client: Client, admin: int, path: str, **headers: str) -> list[list[int]]:
    """The ids of each page."""
    pages, after = [], ""
    while True:
        answer = client.get(path + after, admin, **headers)
        assert len(json.dumps(answer.get_data(as_text=True), ensure_ascii=False).encode()) < LIMIT_OF_LAMBDA
        assert len(answer.get_data()) < 5_000_000
        body = json.loads(body_of(answer))
        pages.append([one["id"] for one in body["data"]])
        if body["next"] is None:
            return pages
        after = f"{'&' if '?' in path else '?'}after={body['next']}"


def newest_first(crm: Crm) -> list[int]:
    return [row[0] for row in crm.db.run("select id from user_miners order by created_at desc, id desc")]


def test_fifty_thousand_rows_are_few_figures_and_five_pages(client: Client, crm: Crm) -> None:
    admin, path = fleet(crm, 50_000)

    assert len(client.get(f"{path}/hosting-stats?include=", admin).get_data()) < 2000
    figures = data(client.get(f"{path}/hosting-stats", admin))
    assert data(client.get(f"{path}/hosting-stats?include=miners", admin)) == figures
    assert len(figures["miners"]) == 200
    assert newest_first(crm)[199] == figures["miners"][-1]["id"]
    following = client.get(f"{path}/hosting-miners?limit=1&after={figures['miners_next']}", admin)
    assert data(following)[0]["id"] == newest_first(crm)[200]

    pages = walk(client, admin, f"{path}/hosting-miners")

    assert [len(page) for page in pages] == [10_000] * 5
    assert [id_ for page in pages for id_ in page] == newest_first(crm)


@pytest.mark.parametrize("text", ["𝔻", '"', "\x01", "\\"], ids=["four bytes", "quotes", "controls", "backslashes"])
def test_a_page_fits_whatever_the_names_are_made_of(client: Client, crm: Crm, text: str) -> None:
    admin, path = fleet(crm, 6_000, name=text * 100, location=text * 200)

    pages = walk(client, admin, f"{path}/hosting-miners")

    assert len(pages) > 1
    assert [id_ for page in pages for id_ in page] == newest_first(crm)


@pytest.mark.parametrize("limit", [1, 7, 50, 149, 150])
def test_every_row_comes_once_also_while_rows_are_added(client: Client, crm: Crm, limit: int) -> None:
    admin, path = fleet(crm, 150)
    before = newest_first(crm)
    account = crm.db.run("select user_id from user_miners limit 1")[0][0]
    seen, after = [], ""

    while True:
        body = client.get(f"{path}/hosting-miners?limit={limit}{after}", admin).json
        assert body is not None
        seen += [one["id"] for one in body["data"]]
        if body["next"] is None:
            break
        after = f"&after={body['next']}"
        crm.miners(account)  # newer than all
        crm.db.run("update user_miners set quantity = quantity + 1 where id = :id", id=seen[0])  # moves it in the heap

    assert seen == before


def test_a_page_is_compressed_for_who_accepts_it(client: Client, crm: Crm) -> None:
    admin, path = fleet(crm, 2_000)
    plain = client.get(f"{path}/hosting-miners", admin)

    packed = client.get(f"{path}/hosting-miners", admin, accept_encoding="br, gzip;q=0.5")
    refused = client.get(f"{path}/hosting-miners", admin, accept_encoding="gzip;q=0")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert body_of(packed) == plain.get_data() == refused.get_data()
    assert len(packed.get_data()) * 4 < len(plain.get_data())
    for answer in (plain, packed, refused):
        assert "Accept-Encoding" in answer.headers["Vary"]
    assert "Content-Encoding" not in client.get(f"{path}/hosting-stats?include=", admin, accept_encoding="gzip").headers
