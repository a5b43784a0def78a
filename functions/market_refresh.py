"""A snapshot of price and network from public sources, hourly, for EventBridge Scheduler."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from crm_services.base.errors import AppError
from crm_services.base.settings import market_urls
from crm_services.market.snapshot import Refresh
from crm_services.postgres.database import database

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Append one snapshot; a failure appends none, and the next hour is the next attempt."""
    refresh = Refresh(market_urls())
    try:
        snapshot = refresh.run(database)
    except AppError as error:
        logger.error("market refresh failed", error=repr(error), failures=refresh.failures)
        metrics.add_metric("MarketRefreshFailed", MetricUnit.Count, 1)
        return {"recorded": None}
    result = vars(snapshot)
    log = logger.info if snapshot.is_valid else logger.warning
    log("market", **result, doubts=refresh.doubts, failures=refresh.failures)
    metrics.add_metric("MarketRefreshed" if snapshot.is_valid else "MarketImplausible", MetricUnit.Count, 1)
    return {"recorded": result}
