"""POST /crm/api/sync-all-hosting: the figures of all customers in the caller's scope."""

from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.base.messages import text
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api
from crm_services.http.parameters import MAX_ID
from crm_services.http.schemas.sync import BatchAnswer, BatchPreviewAnswer
from crm_services.sync.chunks import BEFORE_ALL
from crm_services.sync.requested import preview_requested, run_requested

AFTER = "The `next` of the dry run's page before; its counts are then of the customers that this page looked at"

api = Api(Permission.SYNC)
handler = api.handler


@api.post(
    "/crm/api/sync-all-hosting",
    responses=answers(BatchAnswer | BatchPreviewAnswer, 400, 409, 429, accepted=BatchAnswer),
)
def sync_all_hosting(
    dry_run: Annotated[bool, Query(description="Write nothing, and say what would change")] = False,
    after: Annotated[int | None, Query(description=AFTER, ge=BEFORE_ALL, le=MAX_ID)] = None,
) -> Response[Json]:
    """The same for every customer that the caller sees.

    202 when the time is up: a function goes on with what `remaining` counts. 409 while another such run is under way.
    429 where a mine owner asks again within a minute and nothing has changed.
    """
    if dry_run:
        preview, following = preview_requested(api.transaction, api.caller(), api.has_time, after)
        return Response(200, body=ok(preview, next=following))
    outcome = run_requested(api.transaction, api.caller(), api.has_time)
    result = outcome.result
    message = text("synced_so_far" if outcome.remaining else "synced_all", api.language, **result)
    return Response(202 if outcome.state == "running" else 200, body=ok(result, message=message))
