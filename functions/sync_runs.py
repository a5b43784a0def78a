"""GET /crm/api/sync-runs: the batch's runs in the caller's scope."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api
from crm_services.http.csv import Shape
from crm_services.http.parameters import MAX_BIGINT
from crm_services.http.schemas.sync import RunsAnswer, RunSchema
from crm_services.sync.runs import last_covering, runs_page_json

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/sync-runs", responses=answers(RunsAnswer, 400, table=True))
def sync_runs(
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    before: Annotated[int | None, Query(ge=1, le=MAX_BIGINT)] = None,
    shape: Shape = None,
) -> Json:
    """Who ran it, when, over what, with what result: newest first."""
    page, following = runs_page_json(api.transaction, api.caller(), before, limit)
    table = api.table(page, RunSchema, shape, {"before": following})
    return table or ok(page, next=following, last=last_covering(api.transaction, api.caller()))
