"""What a run publishes, read from the function's output as CloudWatch reads it."""

from collections.abc import Iterator

import pytest
from pg8000.native import Connection

import daily_sync
from crm_services.base.errors import Conflict, QueryFailed, Unavailable
from crm_services.postgres.database import database
from crm_services.sync import batch, patience, worker
from crm_services.sync.batch import TimeLimit
from local.lambda_context import LambdaContext
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.emf import by_name, metrics_in

pytestmark = pytest.mark.usefixtures("environment")

OF_EVERYBODY = frozenset({("service", "crm-hosting")})
OF_A_TENANT = OF_EVERYBODY | {("scope", "tenant")}
REFUSE_NEGATIVE_PROFIT = "alter table crm_customers add constraint solvent check (hosting_net_profit_daily >= 0)"


def run_daily(seconds: float = 900) -> None:
    daily_sync.handler({}, LambdaContext("DailySyncFunction", seconds))


def test_a_completed_run_publishes_its_figures_once(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    crm.snapshot()
    for _ in range(3):
        crm.linked_customer()
    for _ in range(5):
        crm.customer("nobody@example.com")

    run_daily()

    data = metrics_in(capsys.readouterr().out)
    assert {(datum.namespace, datum.dimensions) for datum in data} == {("CrmHosting", OF_EVERYBODY)}
    values = by_name(data)
    assert values.pop("SyncDuration") > 0
    assert values == {
        "BatchSyncCompleted": 1,
        "CustomersNeedingAttention": 0,
        "CustomersTotal": 8,
        "CustomersLinked": 3,
        "CustomersSynced": 3,
        "CustomersSkipped": 5,
        "LinksLost": 0,
        "LinksAmbiguous": 0,
        "LinksShared": 0,
        "SyncErrors": 0,
        "LinkRate": 37.5,
        "SyncErrorRate": 0,
    }


def test_each_figure_has_its_unit(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    crm.linked_customer()
    run_daily()
    units = {datum.name: datum.unit for datum in metrics_in(capsys.readouterr().out)}
    expected = {"LinkRate": "Percent", "SyncErrorRate": "Percent", "SyncDuration": "Seconds"}
    assert units == {name: expected.get(name, "Count") for name in units}


def test_a_customer_that_failed_counts_in_the_error_rate(
    crm: Crm, owner: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    crm.snapshot()
    owner.run(REFUSE_NEGATIVE_PROFIT)
    for price in (0.05, 0.05, 0.05, 5.0):
        crm.linked_customer(electricity_cost=price)

    run_daily()

    values = by_name(metrics_in(capsys.readouterr().out))
    assert (values["CustomersSynced"], values["SyncErrors"], values["SyncErrorRate"]) == (3, 1, 25)
    assert values["BatchSyncCompleted"] == 1


def test_a_rate_without_a_denominator_is_not_published(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    run_daily()
    assert not {"LinkRate", "SyncErrorRate"} & by_name(metrics_in(capsys.readouterr().out)).keys()

    crm.customer("nobody@example.com")
    run_daily()
    values = by_name(metrics_in(capsys.readouterr().out))
    assert values["LinkRate"] == 0
    assert "SyncErrorRate" not in values


def test_an_owners_own_run_is_another_metric(client: Client, crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    owner = crm.account(role="mining_site_owner")
    crm.customer("nobody@example.com", owner)

    client.post("/crm/api/sync-all-hosting", owner)

    data = metrics_in(capsys.readouterr().out)
    assert {datum.dimensions for datum in data} == {OF_A_TENANT}
    assert by_name(data)["LinkRate"] == 0


def test_an_administrators_run_covers_everybody_and_is_published_so(
    client: Client, crm: Crm, capsys: pytest.CaptureFixture[str]
) -> None:
    client.post("/crm/api/sync-all-hosting", crm.account(role="admin"))
    assert {datum.dimensions for datum in metrics_in(capsys.readouterr().out)} == {OF_EVERYBODY}


def test_a_run_out_of_time_is_not_completed_and_knows_no_rates(
    crm: Crm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    for _ in range(3):
        crm.linked_customer()
    time_left = iter([True, False])

    batch.run(database, None, "schedule", limit=TimeLimit(lambda: next(time_left)))

    values = by_name(metrics_in(capsys.readouterr().out))
    assert (values["BatchSyncCompleted"], values["CustomersTotal"], values["SyncErrors"]) == (0, 2, 0)
    assert not {"LinkRate", "SyncErrorRate"} & values.keys()


def test_a_run_that_is_handed_over_is_published_once_and_as_a_whole(
    crm: Crm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    for _ in range(3):
        crm.linked_customer()
    time_left = iter([True, False])
    handed: list[tuple[int, int]] = []

    batch.run(database, None, "request", limit=TimeLimit(lambda: next(time_left), lambda *run: handed.append(run)))
    assert metrics_in(capsys.readouterr().out) == []

    [(run_id, token)] = handed
    batch.join(database, run_id, token)
    values = by_name(metrics_in(capsys.readouterr().out))
    assert (values["BatchSyncCompleted"], values["CustomersTotal"], values["LinkRate"]) == (1, 3, 100)


def test_a_run_that_fails_publishes_the_failure_and_what_it_had_done(
    crm: Crm, owner: Connection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK_SIZE", 2)
    for _ in range(3):
        crm.linked_customer()

    def breaks_after_a_chunk() -> Iterator[bool]:
        yield True
        owner.run("alter table crm_customers rename to hidden")  # a function that names it fails
        yield True

    steps = breaks_after_a_chunk()
    with pytest.raises(QueryFailed):
        batch.run(database, None, "schedule", limit=TimeLimit(lambda: next(steps)))

    values = by_name(metrics_in(capsys.readouterr().out))
    assert (values["BatchSyncCompleted"], values["CustomersTotal"], values["CustomersSynced"]) == (0, 2, 2)
    assert not {"LinkRate", "SyncErrorRate"} & values.keys()


def test_a_run_whose_database_is_gone_publishes_the_failure_without_counts(
    crm: Crm, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    crm.linked_customer()
    environment.setattr(patience, "PAUSES_SECONDS", ())

    def loses_the_database() -> bool:
        environment.setenv("DATABASE_URL", "postgresql://crm_hosting@127.0.0.1:1/nobody_listens")
        database.close()
        return True

    with pytest.raises(Unavailable):
        batch.run(database, None, "schedule", limit=TimeLimit(loses_the_database))

    values = by_name(metrics_in(capsys.readouterr().out))
    assert values.keys() == {"BatchSyncCompleted", "SyncDuration"}
    assert values["BatchSyncCompleted"] == 0


def test_a_run_that_never_began_publishes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def while_another_lives() -> bool:
        with pytest.raises(Conflict):
            batch.run(database, None, "console")
        return False

    batch.run(database, None, "schedule", limit=TimeLimit(while_another_lives))

    assert by_name(metrics_in(capsys.readouterr().out))["BatchSyncCompleted"] == 0  # that of the living run, alone
