"""A part in the work on a run that several functions share, for the state machine: until the run is done."""

from typing import Any

from aws_lambda_powertools import Logger

from crm_services.base.settings import settings
from crm_services.postgres.database import database
from crm_services.sync import batch
from crm_services.sync.lease import TakenOver

logger = Logger()


@logger.inject_lambda_context(clear_state=True, log_event=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work at the run, and return its counts and how it stands: `running` where time was up; raises when it failed."""
    run_id = event["run_id"]
    try:
        outcome = batch.join(database, run_id, event["token"], batch.limit_of(context), settings().batch_workers)
    except TakenOver:
        return {"run_id": run_id, "state": "taken over"}
    result = {"run_id": run_id, "state": outcome.state, **vars(outcome.counts)}
    logger.info("batch", **result)
    return result
