"""What is measured is the same work: the plain statements write and answer what the bundle does."""

import json

import pytest

from benchmarks import batch, data, floor, plain
from local.postgres import Server, connect
from tests.support.client import Client
from tests.support.client import data as data_of
from tests.support.crm import Crm

SUMS = """
select sum(miners_count)::float, sum(mining_capacity), sum(hosting_estimated_daily_btc)::float,
       sum(hosting_net_profit_daily)::float
from crm_customers
"""


@pytest.mark.usefixtures("environment")
def test_the_floor_writes_what_the_batch_writes(postgres: Server) -> None:
    source = data.make(postgres, 400)
    for name in (batch.ENGINE, batch.PLAIN, batch.HASTY):
        data.copy(postgres, source, name)

    batch.run_engine(postgres, batch.ENGINE)
    batch.run_plain(postgres, batch.PLAIN)
    batch.run_hasty(postgres, batch.HASTY)

    batch.assert_equal(postgres)
    sums = {}
    for name in (batch.ENGINE, batch.HASTY):
        with connect(postgres.url(name)) as db:
            [sums[name]] = db.run(SUMS)
    assert sums[batch.HASTY] == pytest.approx(sums[batch.ENGINE], rel=1e-3)
    with connect(postgres.url(batch.ENGINE)) as db:
        [[synced]] = db.run("select count(*) from crm_customers where miners_count > 0")
    assert 100 < synced <= 120
    for name in (source, batch.ENGINE, batch.PLAIN, batch.HASTY):
        data.drop(postgres, name)


def test_the_floor_answers_what_the_requests_answer(client: Client, crm: Crm) -> None:
    crm.snapshot()
    admin, account = crm.account(role="admin"), crm.account("fleet@example.com")
    for columns in ({}, {"status": "Sold "}, {"status": "?"}, {"actual_hashrate": 0.1 + 0.2}, {"electricity_cost": -1}):
        crm.miners(account, 3, **columns)
        crm.miners(account, 2, model="Antminer S19", **columns)
    customer = crm.customer("Fleet@Example.com")
    path = f"/crm/api/customer/{customer}/hosting"
    stats = data_of(client.get(f"{path}-stats?include=", admin))

    [[btc_per_terahash, price]] = crm.db.run(plain.MARKET)
    [[figures]] = crm.db.prepare(floor.STATS).run(
        customer_id=customer, btc_price=price, network_difficulty=stats["network_difficulty"],
        btc_per_terahash=btc_per_terahash, as_of=stats["market_as_of"],
    )  # fmt: skip
    [[miners]] = crm.db.prepare(floor.MINERS).run(customer_id=customer)
    [counts] = crm.db.prepare(floor.STATUS_COUNTS).run(every=True)

    assert json.loads(figures) == stats
    assert json.loads(miners) == data_of(client.get(f"{path}-miners", admin))
    status = data_of(client.get("/crm/api/sync-status", admin))
    assert counts == [status["total_customers"], status["linked_customers"]]
