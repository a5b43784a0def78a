"""POST /crm/api/customer/{customer_id}/sync-hosting: one customer's figures into the CRM's record."""

from crm_services.access import Permission
from crm_services.api import Api, CustomerId, Json, answers, ok
from crm_services.errors import NotFound
from crm_services.messages import text
from crm_services.schemas import SyncedAnswer

api = Api(Permission.SYNC)
handler = api.handler


@api.post("/crm/api/customer/<customer_id>/sync-hosting", responses=answers(SyncedAnswer))
def sync_hosting(customer_id: CustomerId) -> Json:
    """Write the fleet's figures into the customer's record."""
    if not api.service.sync_customer_from_hosting(customer_id):
        raise NotFound("nothing_hosted")
    return ok(message=text("synced", api.language))
