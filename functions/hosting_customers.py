"""GET /crm/api/hosting/customers: the caller's customers, most profit first."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.fleet.customers import Finding, customers_page_json
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api
from crm_services.http.csv import Shape
from crm_services.http.parameters import MAX_ID
from crm_services.http.schemas.fleet import CustomersAnswer, CustomerSchema

# What a page's `next` says: the last row's profit (empty where never synced) and its id.
PLACE = r"^(-?[0-9]{1,16}(\.[0-9]{1,2})?)?:[0-9]{1,10}$"
CUSTOMERS_LIMIT = 1_000

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/hosting/customers", responses=answers(CustomersAnswer, 400, table=True))
def hosting_customers(  # noqa: PLR0913, PLR0917 (each is a filter of its own)
    customer: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    search: Annotated[str | None, Query(min_length=1, max_length=100, pattern="^[^\x00]*$")] = None,
    finding: Annotated[
        Finding | None, Query(description="Only those of whose machines the last sync found that")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=CUSTOMERS_LIMIT)] = 50,
    after: Annotated[str | None, Query(pattern=PLACE)] = None,
    shape: Shape = None,
) -> Json:
    """The customers in the caller's scope with the figures of their last sync; `customer` asks for one."""
    page, following = customers_page_json(api.transaction, customer, search, finding, after, limit)
    return api.table(page, CustomerSchema, shape, {"after": following}) or ok(page, next=following)
