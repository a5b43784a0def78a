"""The daily batch over every customer, for EventBridge Scheduler."""

from typing import Any

from aws_lambda_powertools import Logger

from crm_services import batch
from crm_services.database import database

logger = Logger()

STOP_BEFORE_MS = 60_000


@logger.inject_lambda_context(clear_state=True, log_event=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the batch and return its counts; raises when the run failed or another is under way."""
    outcome = batch.run(
        database,
        tenant_id=None,
        origin="schedule",
        has_time=lambda: context.get_remaining_time_in_millis() > STOP_BEFORE_MS,
    )
    result = {"run_id": outcome.run_id, "state": outcome.state, **vars(outcome.counts)}
    logger.info("batch", **result)
    return result
