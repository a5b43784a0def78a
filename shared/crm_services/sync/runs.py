"""The runs of the batch, as they are shown."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from crm_services.access.entry import Caller
from crm_services.base.errors import NotFound
from crm_services.base.settings import history_time_zone, settings
from crm_services.links.matching import FEW, TENANTS
from crm_services.postgres.database import Transaction
from crm_services.sync.counts import DONE_SO_FAR
from crm_services.sync.scopes import newest, of_scope

# A run as JSON; one whose heartbeat stopped is abandoned, though nobody may have said so yet.
_RUN = """
json_build_object(
  'run_id', r.id, 'tenant_id', r.tenant_id, 'origin', r.origin, 'started_by', r.started_by,
  'state', case when r.state = 'running'
                 and r.heartbeat_at <= now() - make_interval(secs => :dead_after::double precision)
                then 'abandoned' else r.state end,
  'failure', r.failure, 'total', r.total + done.total, 'linked', r.linked + done.linked,
  'synced', r.synced + done.synced, 'skipped', r.skipped + done.skipped, 'errors', r.errors + done.errors,
  'changed', r.changed + done.changed, 'links_lost', r.lost + done.lost,
  'links_ambiguous', r.ambiguous, 'links_shared', r.shared,
  'started_at', to_char(r.started_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'ended_at', to_char(r.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'day', (coalesce(r.ended_at, r.heartbeat_at) at time zone :time_zone::text)::date,
  'duration_seconds', round(extract(epoch from coalesce(r.ended_at, r.heartbeat_at) - r.started_at), 3)
)
"""

_BEFORE = "coalesce(:before::bigint, 9223372036854775807)"

# One page of the runs, newest first, and the id to go on before.
_RUNS = f"""
with page as materialized (
  select r.* from crm_hosting.runs r
  where {{before}}
  order by {{order}} limit :limit::integer + 1
)
select (select coalesce(json_agg({_RUN} order by r.id desc), '[]')::text
        from (select * from page order by id desc limit :limit::integer) r {DONE_SO_FAR}),
       case when (select count(*) from page) > :limit::integer
            then (select id from page order by id desc offset :limit::integer - 1 limit 1) end
"""
RUNS = _RUNS.format(before=f"r.id < {_BEFORE}", order="r.id desc")
RUNS_OF_TENANT = _RUNS.format(before=of_scope("r", ":tenant_id::integer", _BEFORE), order=newest("r"))

# A run whose it is, with one page of the customers that it could not sync, and the id to go on after.
RUN = f"""
with page as materialized (
  select e.* from crm_hosting.run_errors e
  where e.run_id = :run_id::bigint and (:after::integer is null or e.customer_id > :after::integer)
  order by e.customer_id limit :limit::integer + 1
)
select r.tenant_id,
       json_build_object('run', {_RUN}, 'failures', (
         select coalesce(json_agg(json_build_object(
           'customer_id', e.customer_id,
           'name', (select name from crm_hosting.customers c where c.id = e.customer_id),
           'sqlstate', e.sqlstate, 'constraint', e.constraint_name
         ) order by e.customer_id), '[]')
         from (select * from page order by customer_id limit :limit::integer) e))::text,
       case when (select count(*) from page) > :limit::integer
            then (select customer_id from page order by customer_id offset :limit::integer - 1 limit 1) end
from crm_hosting.runs r {DONE_SO_FAR} where r.id = :run_id::bigint
"""

# A scope's last completed run.
_LAST_COMPLETED = f"""
select r.* from crm_hosting.runs r
where {of_scope("r", "{scope}")} and r.state = 'completed' order by {newest("r")} limit 1
"""
# Its operations, how many of them failed, and what it counted.
LAST_COMPLETED_RUN = f"""
select id, ended_at, synced + errors, errors, total, linked,
       coalesce(round(100.0 * linked / nullif(total, 0), 2), 0), findings::text
from ({_LAST_COMPLETED.format(scope="0")}) last
"""
# The last one that covered the tenant, his own or one over everybody, of which he learns what failed of his own alone.
LAST_COMPLETED_RUN_OF_TENANT = f"""
select id, ended_at, case when tenant_id is not null then synced + errors end,
       case when tenant_id is not null then errors else (
         select count(*)::integer from crm_hosting.run_errors e
         where e.run_id = last.id and e.customer_id = any ({TENANTS})) end,
       null, null, null, null
from (
  select n.* from (values (0), (:tenant_id::integer)) scope (tenant)
  cross join lateral ({_LAST_COMPLETED.format(scope="scope.tenant")}) n
  order by ended_at desc limit 1) last
"""


# Of the customers in scope the first that a run could not sync. A tenant's are looked up before they are put in order:
# PostgreSQL 15 and 16 would go through everybody's, which the index has in order.
_FAILURES = """
select json_build_object('customer_id', customer_id, 'name', name, 'sqlstate', sqlstate, 'constraint', constraint_name)
from (
  select e.*, (select name from crm_hosting.customers c where c.id = e.customer_id) as name
  from {errors} e where e.run_id = :run_id::bigint
) failed
where name is not null order by customer_id limit 100
"""
FAILURES = _FAILURES.format(errors="crm_hosting.run_errors")
FAILURES_OF_TENANT = _FAILURES.format(
    errors=f"""(
    select * from crm_hosting.run_errors
    where run_id = :run_id::bigint and customer_id = any ({TENANTS}) offset 0)"""
)


class Completed(NamedTuple):
    """A completed run; what it counted and, of one over everybody, its operations are None for a tenant.

    `link_rate` is in percent; `findings` are JSON, customers by kind; None too of a run that noted none.
    """

    run_id: int
    ended_at: datetime
    operations: int | None
    failed: int
    total: int | None
    linked: int | None
    link_rate: Decimal | None
    findings: str | None


def _given() -> dict[str, object]:
    return {"dead_after": settings().run_dead_after_seconds, "time_zone": history_time_zone()}


def runs_page_json(transaction: Transaction, caller: Caller, before: int | None, limit: int) -> tuple[str, int | None]:
    """One page of the runs in the caller's scope as a JSON array, newest first, and what to go on before."""
    of_tenant = {} if caller.tenant_id is None else {"tenant_id": caller.tenant_id}
    page, following = transaction.row(
        RUNS_OF_TENANT if of_tenant else RUNS,
        before=before,
        limit=limit,
        **_given(),
        **of_tenant,
    )
    return page, following


def run_json(
    transaction: Transaction, caller: Caller, run_id: int, after: int | None, limit: int
) -> tuple[str, int | None]:
    """A run with one page of the customers that it could not sync, as JSON text, and what to go on after.

    Raises NotFound where there is no such run, or it is not the caller's to see: which of the two, nobody is told.
    """
    rows = transaction.rows(RUN, run_id=run_id, after=after, limit=limit, **_given())
    if not rows or caller.tenant_id not in {None, rows[0][0]}:
        raise NotFound("run_not_found")
    [(_, run, following)] = rows
    return run, following


def last_covering(transaction: Transaction, caller: Caller) -> dict[str, Any] | None:
    """The last completed run that covered the caller's scope, as `LastRun`."""
    last = last_completed(transaction, caller.tenant_id)
    if last is None:
        return None
    is_his = last.operations is not None
    find = FAILURES if caller.tenant_id is None else FAILURES_OF_TENANT
    return {
        "run_id": last.run_id if is_his else None,
        "ended_at": f"{last.ended_at:%Y-%m-%dT%H:%M:%SZ}",
        "errors": last.failed,
        "is_over_everybody": caller.tenant_id is None or not is_his,
        "failures": [one for (one,) in transaction.rows(find, run_id=last.run_id)] if last.failed else [],
    }


def last_completed(transaction: Transaction, tenant_id: int | None) -> Completed | None:
    """The last completed run that covered the scope, the tenant's (None: everybody's), if there is one."""
    if tenant_id is None:
        rows = transaction.rows(LAST_COMPLETED_RUN)
    else:
        transaction.ask(FEW)
        rows = transaction.rows(LAST_COMPLETED_RUN_OF_TENANT, tenant_id=tenant_id)
    return Completed(*rows[0]) if rows else None
