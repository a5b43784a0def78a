"""GET /crm/api/customer/{customer_id}/hosting-miners: a customer's machines."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access import Permission
from crm_services.api import Api, CustomerId, Json, answers, ok
from crm_services.hosting_integration import MINERS_LIMIT
from crm_services.parameters import MAX_ID
from crm_services.schemas import MinersAnswer, MinerStatus

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/customer/<customer_id>/hosting-miners", responses=answers(MinersAnswer))
def hosting_miners(
    customer_id: CustomerId,
    status: MinerStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=MINERS_LIMIT)] = MINERS_LIMIT,
    after: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
) -> Json:
    """The customer's miners, newest first."""
    page, following = api.service.miners_page_json(customer_id, status, after, limit)
    return ok(page, next=following)
