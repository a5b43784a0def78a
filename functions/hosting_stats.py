"""GET /crm/api/customer/{customer_id}/hosting-stats: a customer's fleet in figures."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.fleet.stats import hosting_stats_json
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api, CustomerId
from crm_services.http.schemas.fleet import StatsAnswer

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/customer/<customer_id>/hosting-stats", responses=answers(StatsAnswer, 400, 404))
def hosting_stats(
    customer_id: CustomerId,
    include: Annotated[
        Literal["miners", ""], Query(description="`miners`: with the newest 200 of them; empty: the figures alone")
    ] = "miners",
) -> Json:
    """Hashrate, power, revenue and profit of a customer's fleet, now, and its newest machines.

    The CRM's customer page takes its figures and its table from here. A customer without an account has `has_hosting`
    false and zeros.
    """
    return ok(hosting_stats_json(api.transaction, customer_id, include_miners=include == "miners"))
