"""GET /crm/api/customer/{customer_id}/hosting-stats: a customer's fleet in figures."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access import Permission
from crm_services.api import Api, CustomerId, Json, answers, ok
from crm_services.schemas import StatsAnswer

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/customer/<customer_id>/hosting-stats", responses=answers(StatsAnswer, 400, 404))
def hosting_stats(
    customer_id: CustomerId,
    include: Annotated[Literal["miners"] | None, Query(description="Adds the newest 200 miners")] = None,
) -> Json:
    """Hashrate, power, revenue and profit of a customer's fleet, now.

    A customer without an account has `has_hosting` false and zeros.
    """
    return ok(api.service.hosting_stats_json(customer_id, include_miners=include == "miners"))
