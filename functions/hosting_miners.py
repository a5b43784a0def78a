"""GET /crm/api/customer/{customer_id}/hosting-miners: a customer's machines."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.fleet.miners import MINERS_LIMIT, miners_page_json
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api, CustomerId
from crm_services.http.csv import Shape
from crm_services.http.schemas.fleet import MinerDataSchema, MinersAnswer, MinerStatus

# What a page's `next` says: when the last row was created, and its id. An id alone is what the first version gave.
PLACE = r"^((-?infinity|[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}(BC)?):)?[0-9]{1,10}$"

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/customer/<customer_id>/hosting-miners", responses=answers(MinersAnswer, 400, 404, table=True))
def hosting_miners(
    customer_id: CustomerId,
    status: Annotated[MinerStatus | None, Query(description="Miners of this status alone")] = None,
    limit: Annotated[int, Query(ge=1, le=MINERS_LIMIT, description="Miners of a page")] = MINERS_LIMIT,
    after: Annotated[str | None, Query(pattern=PLACE, description="The `next` of the page before, or an id")] = None,
    shape: Shape = None,
) -> Json:
    """A customer's miners, newest first.

    Sold ones included. All of them in one answer, unless they are more than `limit` or 5 MB: then `next` is the
    `after` of the next page. While miners come and go, a walk from page to page meets each of the others once.
    """
    page, following = miners_page_json(api.transaction, customer_id, status, after, limit)
    return api.table(page, MinerDataSchema, shape, {"after": following}) or ok(page, next=following)
