"""POST /crm/api/sync-all-hosting: the figures of all customers in the caller's scope."""

from aws_lambda_powertools.event_handler.api_gateway import Response

from crm_services.access import Permission
from crm_services.api import Api, Json, answers, ok
from crm_services.messages import text
from crm_services.schemas import BatchAnswer, BatchPreviewAnswer, Failure

api = Api(Permission.SYNC)
handler = api.handler


@api.post(
    "/crm/api/sync-all-hosting",
    responses=answers(BatchAnswer | BatchPreviewAnswer, {202: BatchAnswer, 409: Failure}),
)
def sync_all_hosting(dry_run: bool = False) -> Response[Json]:
    """Bring every customer that the caller sees up to date; 202: a function goes on with what `remaining` counts."""
    if dry_run:
        return Response(200, body=ok(api.service.preview_batch(api.has_time)))
    outcome = api.service.run_batch(api.has_time)
    result = outcome.result
    message = text("synced_so_far" if outcome.remaining else "synced_all", api.language, **result)
    return Response(202 if outcome.state == "running" else 200, body=ok(result, message=message))
