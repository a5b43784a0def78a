"""POST /crm/api/customer/{customer_id}/sync-hosting: one customer's figures into the CRM's record."""

from crm_services.access import Permission
from crm_services.api import Api, CustomerId, Json, answers, ok
from crm_services.errors import NotFound
from crm_services.messages import text
from crm_services.schemas import Failure, SyncedAnswer, SyncPreviewAnswer

api = Api(Permission.SYNC)
handler = api.handler


@api.post(
    "/crm/api/customer/<customer_id>/sync-hosting",
    responses=answers(SyncedAnswer | SyncPreviewAnswer, {409: Failure}),
)
def sync_hosting(customer_id: CustomerId, dry_run: bool = False) -> Json:
    """Write the fleet's figures into the customer's record; with `dry_run` only say what that would change."""
    if dry_run:
        changes = api.service.preview_customer_sync(customer_id)
        if changes is None:
            raise NotFound("nothing_hosted")
        return ok(changes)
    if not api.service.sync_customer_from_hosting(customer_id):
        raise NotFound("nothing_hosted")
    return ok(message=text("synced", api.language))
