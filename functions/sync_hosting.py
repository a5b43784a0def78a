"""POST /crm/api/customer/{customer_id}/sync-hosting: one customer's figures into the CRM's record."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.base.errors import NotFound
from crm_services.base.messages import text
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api, CustomerId
from crm_services.http.schemas.sync import SyncedAnswer, SyncPreviewAnswer
from crm_services.sync.customer import preview_customer

api = Api(Permission.SYNC)
handler = api.handler


@api.post(
    "/crm/api/customer/<customer_id>/sync-hosting",
    responses=answers(SyncedAnswer | SyncPreviewAnswer, 400, 404, 409),
)
def sync_hosting(
    customer_id: CustomerId,
    dry_run: Annotated[bool, Query(description="Write nothing, and say what would change")] = False,
) -> Json:
    """Write a fleet's figures into its customer's record.

    Machines, MW, the commonest model, estimates and profit. 404 where there is nothing to write: the customer is not
    linked, or to an account without miners, and the record is left as it is. 409 where the record is locked, or the
    CRM does not take the figures.
    """
    if dry_run:
        changes = preview_customer(api.transaction, customer_id)
        if changes is None:
            raise NotFound("nothing_hosted")
        return ok(changes)
    if not api.service.sync_customer_from_hosting(customer_id):
        raise NotFound("nothing_hosted")
    return ok(message=text("synced", api.language))
