"""How long runs are remembered. They are forgotten in bounded steps: no end of a run depends on how many there were."""

from aws_lambda_powertools import Logger

from crm_services.base.errors import AppError
from crm_services.base.settings import settings
from crm_services.postgres.database import Database

logger = Logger()

# A step forgets so many runs, or failures of runs; what is left is the next run's to forget.
STEP = 1_000
# So many steps of a run over everybody, which comes once a day and has time; a tenant's takes one.
STEPS = 50
# A tenant's runs are kept in number, too: the newest ones.
KEPT_OF_A_TENANT = 50

FORGET_OLD = "select crm_hosting.forget_old_runs(:days::integer, :step::integer)"
FORGET_SURPLUS = "select crm_hosting.forget_surplus_runs(:tenant_id::integer, :kept::integer, :step::integer)"


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
