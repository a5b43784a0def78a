"""GET /crm/api/sync-runs/{run_id}: one run of the batch, and the customers that it could not sync."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from crm_services.access.roles import Permission
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api
from crm_services.http.csv import Shape
from crm_services.http.parameters import MAX_BIGINT, MAX_ID
from crm_services.http.schemas.sync import RunAnswer, RunFailure
from crm_services.sync.runs import run_json

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/sync-runs/<run_id>", responses=answers(RunAnswer, 400, 404, table=True))
def sync_run(
    run_id: Annotated[int, Path(description="`run_id` of sync-runs", ge=1, le=MAX_BIGINT)],
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    after: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    shape: Shape = None,
) -> Json:
    """The run, and its failures by customer: review them, mend the data, and sync again."""
    run, following = run_json(api.transaction, api.caller(), run_id, after, limit)
    more = {"after": following}
    return api.table(run, RunFailure, shape, more, within="failures") or ok(run, next=following)
