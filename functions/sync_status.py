"""GET /crm/api/sync-status: how well CRM and hosting agree."""

from crm_services.access import Permission
from crm_services.api import Api, Json, answers, ok
from crm_services.schemas import StatusAnswer

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/sync-status", responses=answers(StatusAnswer))
def sync_status() -> Json:
    """Link rate, freshness and health of the synchronisation."""
    return ok(api.service.get_sync_status(api.language))
