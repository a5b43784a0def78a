"""Brings the CRM's database to the bundle's schema, as the owner of its tables; invoked by hand."""

from typing import Any

from aws_lambda_powertools import Logger

from crm_services.base.settings import machine_source, snapshot_time_zone
from crm_services.postgres.migration import migrate
from crm_services.postgres.roles import bundle_login, market_login
from crm_services.postgres.target import owner_target

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Migrate, and return a line for each thing that was changed."""
    changes = migrate(owner_target(), bundle_login(), market_login(), machine_source(), snapshot_time_zone())
    logger.info("migrated", changes=changes)
    return {"changes": changes}
