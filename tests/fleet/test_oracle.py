"""The endpoints against the oracle, over random databases: `make oracle` compares thousands."""

import json
import math
import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pg8000.native import Connection

from crm_services.base.settings import settings as bundle_settings
from crm_services.postgres.machines import machines_view
from tests.support.client import Client
from tests.support.conformity import body_of
from tests.support.databases import ADMIN, OWNER, databases
from tests.support.oracle import STATUSES, World, fits

DATABASES = int(os.environ.get("ORACLE_DATABASES", "20"))
TABLES = (
    "user_access", "miner_models", "hosting_sites", "crm_customers", "user_miners", "hosting_miners",
    "network_snapshots", "crm_hosting.market_snapshots",
)  # fmt: skip


@settings(
    max_examples=DATABASES, deadline=None, print_blob=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(rows=databases(), is_any=st.booleans(), is_hosted=st.booleans(), caller=st.sampled_from([ADMIN, ADMIN, OWNER]))
def test_every_figure_is_the_oracle_s(  # noqa: PLR0913, PLR0917 (three of them are fixtures)
    client: Client, owner: Connection, environment: pytest.MonkeyPatch,
    rows: dict[str, Any], is_any: bool, is_hosted: bool, caller: int,
) -> None:  # fmt: skip
    owner.run(machines_view("hosting_miners" if is_hosted else "user_miners"))
    environment.setenv("LINK_SCOPE", "any" if is_any else "tenant")
    bundle_settings.cache_clear()
    fill(owner, rows)
    world = read(owner, is_any, is_hosted)
    seen = [one for one in world.customers if caller == ADMIN or one["created_by_id"] == caller]

    for customer in world.customers:
        compare_reads(client, world, customer, caller, is_seen=customer in seen)
    for customer in seen[:3]:
        compare_sync(client, owner, world, customer, caller)
    compare_batch(client, owner, is_any, is_hosted, caller)


def compare_reads(client: Client, world: World, customer: dict[str, Any], caller: int, is_seen: bool) -> None:
    path = f"/crm/api/customer/{customer['id']}"
    stats = client.get(f"{path}/hosting-stats?include=miners", caller)
    if not is_seen:
        assert stats.status_code == 403
        return
    miners = world.miners_list(customer)
    expected = world.stats(customer) | {"miners": miners, "miners_next": None}
    figures = data(stats)
    assert figures == expected
    for split in ("by_model", "by_location"):
        assert list(figures[split]) == list(expected[split])
    assert data(client.get(f"{path}/hosting-miners", caller)) == miners
    for one in STATUSES:
        assert data(client.get(f"{path}/hosting-miners?status={one}", caller)) == world.miners_list(customer, one)


def compare_sync(client: Client, owner: Connection, world: World, customer: dict[str, Any], caller: int) -> None:
    expected = world.record(customer)
    answer = client.post(f"/crm/api/customer/{customer['id']}/sync-hosting", caller)
    if expected is None:
        assert answer.status_code == 404
    elif not fits(expected):
        assert answer.status_code == 409
    else:
        assert answer.status_code == 200
    assert_stored(owner, customer, expected)


def compare_batch(client: Client, owner: Connection, is_any: bool, is_hosted: bool, caller: int) -> None:
    world = read(owner, is_any, is_hosted)  # as the single syncs left it
    seen = [one for one in world.customers if caller == ADMIN or one["created_by_id"] == caller]
    due = {one["id"]: record for one in seen if (record := world.record(one)) is not None}
    errors = {id_ for id_, record in due.items() if not fits(record)}

    assert data(client.post("/crm/api/sync-all-hosting", caller)) == {
        "total": len(seen),
        "synced": len(due) - len(errors),
        "skipped": len(seen) - len(due),
        "errors": len(errors),
    }

    for customer in world.customers:
        assert_stored(owner, customer, due.get(customer["id"]))
    findings = {(one["id"], kind) for one in seen if one["id"] not in errors for kind in world.findings(one)}
    findings |= world.shared([one for one in seen if one["id"] in due.keys() - errors])
    found = {(id_, kind) for id_, kind in owner.run("select customer_id, kind from crm_hosting.findings")}
    assert found == findings
    status = data(client.get("/crm/api/sync-status", caller))
    assert {name: status[name] for name in world.link_counts(seen)} == world.link_counts(seen)
    assert status["sync_health"] == world.health(seen, len(errors), len(findings))


def assert_stored(owner: Connection, before: dict[str, Any], expected: dict[str, Any] | None) -> None:
    """The record holds what is expected; where nothing is, or what does not fit, what it held before."""
    [row] = records(owner, "select * from crm_customers where id = :id", id=before["id"])
    if expected is None or not fits(expected):
        assert {name: row[name] for name in row if name in before} == {name: before[name] for name in row}
        return
    assert {name: row[name] for name in expected} == expected
    is_first = before["hosting_synced_at"] is None
    is_changed = is_first or any(before[name] != value for name, value in expected.items())
    if not is_changed:
        assert row["hosting_synced_at"] == before["hosting_synced_at"]
    assert row["hosting_synced_at"] is not None
    assert row["updated_at"] == before["updated_at"]


def fill(owner: Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    owner.run("begin")
    for table in (
        *reversed(TABLES),
        "crm_hosting.run_errors",
        "crm_hosting.findings",
        "crm_hosting.fleet_now",
        "crm_hosting.runs",
    ):
        owner.run(f"delete from {table}")
    for table in TABLES:
        if not rows[table]:
            continue
        columns = ", ".join(rows[table][0])
        extra, values = (", name", ", 'n'") if table in {"user_access", "crm_customers"} else ("", "")
        owner.run(
            f"insert into {table} ({columns}{extra}) overriding system value select {columns}{values}"
            f" from json_populate_recordset(cast(null as {table}), cast(:rows as json))",
            rows=json.dumps([{key: plain(value) for key, value in row.items()} for row in rows[table]], default=str),
        )
    owner.run("commit")


def plain(value: Any) -> Any:
    """The value as JSON can hold it; PostgreSQL reads "nan" and "inf"."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def read(owner: Connection, is_any: bool, is_hosted: bool) -> World:
    """What the tables hold, and PostgreSQL's e-mail keys."""
    return World(
        accounts=records(owner, "select *, crm_hosting.email_key(email) as key from user_access order by id"),
        customers=records(owner, "select *, crm_hosting.email_key(email) as key from crm_customers order by id"),
        models={row["id"]: row for row in records(owner, "select * from miner_models")},
        miners=records(owner, "select * from user_miners"),
        hosted=records(owner, "select * from hosting_miners"),
        sites=records(owner, "select * from hosting_sites"),
        snapshots=records(owner, "select * from network_snapshots"),
        own_snapshots=records(owner, "select * from crm_hosting.market_snapshots"),
        now=datetime.now(UTC),
        is_any=is_any,
        is_hosted=is_hosted,
    )


def records(owner: Connection, sql: str, **parameters: Any) -> list[dict[str, Any]]:
    rows = owner.run(sql, **parameters)
    names = [column["name"] for column in owner.columns or []]
    return [dict(zip(names, row, strict=True)) for row in rows]


def data(answer: Any) -> Any:
    """`data` of a success, every number exactly as it was sent."""
    body = json.loads(body_of(answer), parse_float=Decimal)
    assert answer.status_code == 200, body
    return body["data"]
