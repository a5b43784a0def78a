"""POST /crm/api/hosting/links/confirm: the exact matches that link scope `tenant` holds back, all at once."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.base.messages import text
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api
from crm_services.http.parameters import MAX_ID
from crm_services.http.schemas.links import ConfirmedAnswer
from crm_services.links.choices import confirm_held_back

api = Api(Permission.SYNC)
handler = api.handler


@api.post("/crm/api/hosting/links/confirm", responses=answers(ConfirmedAnswer, 400))
def confirm_links(
    owner: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Only this mine owner's customers")] = None,
    dry_run: Annotated[bool, Query(description="Write nothing, and say what would be confirmed")] = False,
) -> Json:
    """Confirm them where there is no doubt: for whoever sees all customers.

    No doubt: one account has the address, nobody created it, and no customer of another owner has the address too.
    """
    result = confirm_held_back(api.transaction, api.caller(), owner, dry_run)
    return ok(result, message=text("links_confirmed", api.language, count=0 if dry_run else result["confirmed"]))
