"""Brings the CRM's database to the bundle's schema, as the owner of its tables; invoked by hand."""

from typing import Any

from aws_lambda_powertools import Logger

from crm_services.base.secrets import market_role_password, role_password
from crm_services.base.settings import connection_limit, machine_source, snapshot_time_zone
from crm_services.postgres.migration import MARKET_ROLE, ROLE, migrate
from crm_services.postgres.target import owner_target

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Migrate, and return a line for each thing that was changed."""
    changes = migrate(
        owner_target(),
        role_password(ROLE),
        connection_limit(),
        market_role_password(MARKET_ROLE),
        machine_source(),
        snapshot_time_zone(),
    )
    logger.info("migrated", changes=changes)
    return {"changes": changes}
