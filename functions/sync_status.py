"""GET /crm/api/sync-status: how well CRM and hosting agree."""

from crm_services.access.roles import Permission
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api
from crm_services.http.schemas.sync import StatusAnswer

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/sync-status", responses=answers(StatusAnswer))
def sync_status() -> Json:
    """Link rate, freshness and health of the synchronisation."""
    return ok(api.service.get_sync_status(api.language))
