"""The daily batch over every customer, for EventBridge Scheduler."""

from typing import Any

from aws_lambda_powertools import Logger

from crm_services.base.settings import settings
from crm_services.postgres.database import database
from crm_services.sync import batch, handover
from crm_services.sync.lease import TakenOver
from crm_services.sync.patience import Patience

logger = Logger()

STOP_BEFORE_MS = 60_000
# What a run that stops has still to say is said until here, should the database be away just then.
END_BEFORE_MS = 5_000


@logger.inject_lambda_context(clear_state=True, log_event=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the batch, or go on with a run that was handed over, and return its counts; raises when it failed."""
    limit = batch.TimeLimit(
        has_time=lambda: context.get_remaining_time_in_millis() > STOP_BEFORE_MS,
        hand_over=handover.to_function(settings().own_function),
        has_time_to_end=lambda: context.get_remaining_time_in_millis() > END_BEFORE_MS,
        patience=Patience(outlives_failover=True),
    )
    if "run_id" in event:
        try:
            outcome = batch.resume(database, event["run_id"], event["token"], limit)
        except TakenOver:  # Lambda may deliver an event twice
            return {"run_id": event["run_id"], "state": "taken over"}
    else:
        outcome = batch.run(database, tenant_id=None, origin="schedule", limit=limit)
    result = {"run_id": outcome.run_id, "state": outcome.state, **vars(outcome.counts)}
    logger.info("batch", **result)
    return result
