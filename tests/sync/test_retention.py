"""How long runs are remembered, and that a flood of them is nobody's trouble."""

from typing import Any

import pytest
from pg8000.native import Connection, literal

from crm_services.postgres.database import database
from crm_services.sync import batch, retention, runs
from tests.support.crm import Crm
from tests.support.runs import runs as all_runs

ENOUGH = 20_000


@pytest.fixture
def flood(crm: Crm, owner: Connection) -> int:
    """A tenant with so many runs that a plan which reads them all cannot be the cheaper one."""
    tenant = crm.account(role="mining_site_owner")
    owner.run(
        """
        insert into crm_hosting.runs (tenant_id, origin, state, started_at, ended_at)
        select :tenant, 'request', 'completed', now() - make_interval(secs => n), now()
        from generate_series(1, :n) n""",
        tenant=tenant, n=ENOUGH,
    )  # fmt: skip
    owner.run("analyze crm_hosting.runs")
    return tenant


def rows_read(owner: Connection, statement: str, **parameters: Any) -> int:
    """How many rows of runs the statement looks at, with a plan that was made for any parameters."""
    owner.run("begin")
    owner.run("set local plan_cache_mode = force_generic_plan")
    names = list(dict.fromkeys(parameters))
    for place, name in enumerate(names, 1):
        statement = statement.replace(f":{name}::", f"${place}::")
    owner.run(f"prepare tried as {statement}")
    values = ", ".join(literal(parameters[name]) for name in names)
    plan: Any
    [[plan]] = owner.run(f"explain (analyze, format json) execute tried({values})")
    owner.run("rollback")
    owner.run("deallocate all")

    def read(node: dict[str, Any]) -> int:
        here = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if node.get("Relation Name") == "runs" else 0
        return int(here * node["Actual Loops"]) + sum(read(child) for child in node.get("Plans", []))

    return read(plan[0]["Plan"])


@pytest.mark.parametrize("tenant_id", [None, 7])
def test_the_last_completed_run_and_the_list_are_found_by_an_index(
    flood: int, owner: Connection, tenant_id: int | None
) -> None:
    page = {"before": None, "limit": 50, "dead_after": 300.0, "time_zone": "UTC"}
    assert rows_read(owner, runs.LAST_COMPLETED_RUN, tenant_id=tenant_id) <= 4
    assert rows_read(owner, runs.RUNS, **page) <= 51
    assert rows_read(owner, runs.RUNS, **page | {"before": ENOUGH // 2}) <= 51
    assert rows_read(owner, runs.RUNS_OF_TENANT, **page, tenant_id=flood) <= 51
    assert rows_read(owner, runs.RUNS_OF_TENANT, **page | {"before": ENOUGH // 2}, tenant_id=flood) <= 51


@pytest.mark.usefixtures("environment")
def test_a_flood_is_forgotten_in_steps_and_the_newest_stay(
    flood: int, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 100)

    batch.run(database, flood, "request")
    [[left]] = owner.run("select count(*) from crm_hosting.runs")
    assert left == ENOUGH + 1 - 100

    monkeypatch.setattr(retention, "STEP", ENOUGH)
    batch.run(database, flood, "request")
    kept = [run["id"] for run in all_runs(owner)]
    assert len(kept) == retention.KEPT_OF_A_TENANT
    assert max(kept) == ENOUGH + 2


@pytest.mark.usefixtures("environment")
def test_the_last_completed_run_of_a_tenant_stays_behind_any_number_of_others(flood: int, owner: Connection) -> None:
    owner.run("update crm_hosting.runs set state = 'partial' where id > 10")

    retention.prune(database, flood)
    retention.prune(database, flood)

    assert owner.run("select max(id) from crm_hosting.runs where state = 'completed'") == [[10]]


@pytest.mark.usefixtures("environment")
def test_a_run_with_more_failures_than_a_step_goes_with_its_last(
    crm: Crm, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 10)
    owner.run("insert into crm_hosting.runs (origin, state, started_at) values ('schedule', 'failed', '2020-01-01')")
    owner.run("insert into crm_hosting.run_errors select 1, n, '55P03' from generate_series(1, 25) n")

    monkeypatch.setattr(retention, "STEPS", 2)
    retention.prune(database, None)
    assert owner.run("select count(*) from crm_hosting.run_errors") == [[5]]
    retention.prune(database, None)

    for table in ("runs", "run_errors"):
        assert owner.run(f"select count(*) from crm_hosting.{table}") == [[0]]


@pytest.mark.usefixtures("environment")
def test_a_run_ends_although_nothing_can_be_forgotten(crm: Crm, owner: Connection, flood: int) -> None:
    owner.run("create function public.keep() returns trigger language plpgsql as 'begin raise division_by_zero; end'")
    owner.run("create trigger keep before delete on crm_hosting.runs for each row execute function public.keep()")

    assert batch.run(database, flood, "request").state == "completed"
