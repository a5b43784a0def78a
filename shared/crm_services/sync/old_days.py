"""How long the history goes back. It is forgotten in bounded steps, by the runs over everybody."""

from collections.abc import Mapping

from aws_lambda_powertools import Logger

from crm_services.access.entry import SCOPE_TO
from crm_services.base.errors import AppError
from crm_services.base.settings import history_time_zone, settings
from crm_services.postgres.database import Database
from crm_services.sync.days import TODAY

logger = Logger()

# A step forgets so many rows of a table, a run so many steps; what is left is the next run's to forget.
STEP = 20_000
STEPS = 50

# What lies before the history's first day. (Arrays, so that rows are found by the index, whatever the planner thinks.)
_FORGET = """
delete from crm_hosting.{table} where ctid = any (array(
  select o.ctid from crm_hosting.{table} o
  where o.{column} < {first} order by o.{column} limit :step::integer))
returning 1
"""
_FIRST = f"{TODAY} - :days::integer"
FORGET_FLEETS = _FORGET.format(table="fleet_days", column="until", first=f"{_FIRST} + 1")
FORGET_MARKETS = _FORGET.format(table="market_days", column="day", first=_FIRST)
FORGET_TOTALS = _FORGET.format(table="scope_days", column="day", first=_FIRST)

# Of customers beyond the last one, whom no chunk comes to: the others that are gone are forgotten by their chunk. Which
# is the last one is asked only where nobody comes after the newest of those that were synced.
FORGET_LAST = """
with gone as (
  select n.customer_id from crm_hosting.fleet_now n
  where (select next.customers = 0
         from (select max(customer_id) as id from crm_hosting.fleet_now) newest,
              crm_hosting.next_customers(newest.id - 1, 1) next)
    and n.customer_id > (select coalesce(max(c.id), -2147483649) from crm_hosting.customers c)
  order by n.customer_id limit :step::integer
), theirs as (
  delete from crm_hosting.fleet_days d where d.customer_id in (select customer_id from gone)
)
delete from crm_hosting.fleet_now n where n.customer_id in (select customer_id from gone)
returning 1
"""


def forget_last(database: Database) -> None:
    """Forget the fleets of customers that are gone and that no chunk comes to; before the totals, or these have them.

    As with old days, what goes wrong is logged.
    """
    _forget(database, (FORGET_LAST,), {})


def prune_days(database: Database) -> None:
    """Forget the days that are older than the setting says.

    It is nobody's failure: what goes wrong is logged, and the next run tries again.
    """
    old = {"days": settings().history_days, "time_zone": history_time_zone()}
    _forget(database, (FORGET_FLEETS, FORGET_MARKETS, FORGET_TOTALS), old)


def _forget(database: Database, statements: tuple[str, ...], given: Mapping[str, object]) -> None:
    try:
        for statement in statements:
            for _ in range(STEPS):
                with database.transaction() as transaction:
                    transaction.rows(SCOPE_TO, tenant_id=None)
                    if len(transaction.rows(statement, step=STEP, **given)) < STEP:
                        break
    except AppError as error:
        logger.warning("days not pruned", error=repr(error))
