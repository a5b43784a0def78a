"""The daily batch over every customer, for EventBridge Scheduler."""

from typing import Any

from aws_lambda_powertools import Logger

from crm_services.base.settings import settings
from crm_services.postgres.database import database
from crm_services.sync import batch, handover

logger = Logger()


@logger.inject_lambda_context(clear_state=True, log_event=False)
def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the batch, or start it where several functions are to, and return its counts; raises when it failed."""
    functions = settings().batch_functions
    limit = batch.limit_of(context, handover.to_state_machine(settings().sync_state_machine, functions))
    outcome = batch.run(
        database, None, "schedule", limit=limit, workers=settings().batch_workers, elsewhere=functions > 1
    )
    result = {"run_id": outcome.run_id, "state": outcome.state, **vars(outcome.counts)}
    logger.info("batch", **result)
    return result
