"""GET /crm/api/customer/{customer_id}/hosting-stats: a customer's fleet in figures."""

from typing import Literal

from crm_services.access import Permission
from crm_services.api import Api, CustomerId, Json, answers, ok
from crm_services.schemas import Answer, HostingStatsSchema

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/customer/<customer_id>/hosting-stats", responses=answers(Answer[HostingStatsSchema]))
def hosting_stats(customer_id: CustomerId, include: Literal["miners"] | None = None) -> Json:
    """Hashrate, power, revenue and profit of the customer's fleet, now."""
    return ok(api.service.hosting_stats_json(customer_id, include_miners=include == "miners"))
