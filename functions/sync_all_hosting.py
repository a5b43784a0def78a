"""POST /crm/api/sync-all-hosting: the figures of all customers in the caller's scope."""

from crm_services.access import Permission
from crm_services.api import Api, Json, answers, ok
from crm_services.messages import text
from crm_services.schemas import BatchAnswer

api = Api(Permission.SYNC)
handler = api.handler


@api.post("/crm/api/sync-all-hosting", responses=answers(BatchAnswer))
def sync_all_hosting() -> Json:
    """Bring every customer that the caller sees up to date."""
    result = api.service.sync_all_customers()
    return ok(result, message=text("synced_all", api.language, synced=result["synced"]))
