"""Brings the CRM's database to the bundle's schema, or out of the CRM's way, as the owner of its tables; by hand."""

from typing import Any

from aws_lambda_powertools import Logger

from crm_services.base.errors import MigrationRefused
from crm_services.base.settings import machine_source, snapshot_time_zone
from crm_services.postgres.migration import detach, migrate
from crm_services.postgres.roles import bundle_login, market_login
from crm_services.postgres.target import owner_target

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Migrate, or `{"action": "detach"}`, and return a line for each thing that was changed."""
    match event.get("action", "migrate"):
        case "migrate":
            changes = migrate(owner_target(), bundle_login(), market_login(), machine_source(), snapshot_time_zone())
        case "detach":
            changes = detach(owner_target())
        case action:
            raise MigrationRefused(f"The action is migrate (or none) or detach, not {action!r}. Nothing was changed.")
    logger.info("done", changes=changes)
    return {"changes": changes}
