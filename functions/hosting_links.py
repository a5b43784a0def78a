"""GET /crm/api/hosting/links: whom the caller's customers are linked to, by what, and why not."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.http.answers import Json, answers, ok, to_json
from crm_services.http.api import Api
from crm_services.http.csv import Shape
from crm_services.http.parameters import MAX_ID
from crm_services.http.schemas.links import LinksAnswer, LinkSchema
from crm_services.links.listing import State, links_page

LINKS_LIMIT = 100

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/hosting/links", responses=answers(LinksAnswer, 400, table=True))
def hosting_links(
    state: Annotated[
        State | None, Query(description="Only these; lost, gone, ambiguous, shared: as of the last sync")
    ] = None,
    search: Annotated[str | None, Query(min_length=1, max_length=100, pattern="^[^\x00]*$")] = None,
    limit: Annotated[int, Query(ge=1, le=LINKS_LIMIT)] = 20,
    after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
    shape: Shape = None,
) -> Json:
    """The customers in the caller's scope by id, each with its account or the reason why there is none.

    Those without have suggestions: accounts that may well be theirs.
    """
    page, following = links_page(api.transaction, api.caller(), api.language, state, search, after, limit)
    return api.table(to_json(page), LinkSchema, shape, {"after": following}) or ok(page, next=following)
