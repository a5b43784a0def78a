"""How long runs are remembered. They are forgotten in bounded steps: no end of a run depends on how many there were."""

from aws_lambda_powertools import Logger

from crm_services.base.errors import AppError
from crm_services.base.settings import settings
from crm_services.postgres.database import Database
from crm_services.sync.scopes import newest, of_scope

logger = Logger()

# A step forgets so many runs, or failures of runs; what is left is the next run's to forget.
STEP = 1_000
# So many steps of a run over everybody, which comes once a day and has time; a tenant's takes one.
STEPS = 50
# A tenant's runs are kept in number, too: the newest ones.
KEPT_OF_A_TENANT = 50

# All that are too old or too many, but the newest completed run of each scope, which sync-status speaks of. (A scalar
# looks that up run by run; of `exists` the planner would make a join of all runs with all.)
_FORGOTTEN = f"""
select r.id from crm_hosting.runs r
where {{which}} and r.state <> 'running' and r.id is distinct from (
  select n.id from crm_hosting.runs n
  where {of_scope("n", "coalesce(r.tenant_id, 0)")} and n.state = 'completed' order by {newest("n")} limit 1)
order by {{order}} limit :step::integer
"""
OLD = _FORGOTTEN.format(which="r.started_at < now() - make_interval(days => :days::integer)", order="r.started_at")
SURPLUS = _FORGOTTEN.format(
    which=of_scope(
        "r",
        ":tenant_id::integer",
        f"""(
      select k.id from crm_hosting.runs k where {of_scope("k", ":tenant_id::integer")}
      order by {newest("k")} offset :kept::integer - 1 limit 1)""",
    ),
    order=newest("r"),
)

# The failures first, which may be many more than runs are: a run that still has some is forgotten by a later step.
# (Arrays, so that both tables are read by their indexes, whatever the planner takes them for.)
FORGET = """
with old as materialized (select array({which}) as ids), failures as (
  delete from crm_hosting.run_errors where ctid = any (array(
    select e.ctid from crm_hosting.run_errors e where e.run_id = any ((select ids from old)::bigint[])
    limit :step::integer))
  returning run_id
), gone as (
  delete from crm_hosting.runs r where r.id = any ((select ids from old)::bigint[])
    and not exists (select from crm_hosting.run_errors e where e.run_id = r.id)
  returning r.id
)
select (select count(*) from failures) + (select count(*) from gone)
"""
FORGET_OLD = FORGET.format(which=OLD)
FORGET_SURPLUS = FORGET.format(which=SURPLUS)


def prune(database: Database, tenant_id: int | None) -> None:
    """Forget what is older than the setting says, and of a tenant's runs all but the newest.

    It is nobody's failure: what goes wrong is logged, and the next run tries again.
    """
    try:
        for _ in range(STEPS if tenant_id is None else 1):
            if not _forget(database, FORGET_OLD, days=settings().run_retention_days):
                break
        if tenant_id is not None:
            _forget(database, FORGET_SURPLUS, tenant_id=tenant_id, kept=KEPT_OF_A_TENANT)
    except AppError as error:
        logger.warning("runs not pruned", error=repr(error))


def _forget(database: Database, statement: str, **which: int) -> int:
    with database.transaction() as transaction:
        forgotten: int = transaction.value(statement, step=STEP, **which)
        return forgotten
