"""PUT, DELETE /crm/api/customer/{customer_id}/hosting-link: somebody says whose account a customer is."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api, CustomerId
from crm_services.http.parameters import MAX_ID
from crm_services.http.schemas.links import LinkAnswer
from crm_services.links.choices import Verdict, choose

PATH = "/crm/api/customer/<customer_id>/hosting-link"

api = Api(Permission.SYNC)
handler = api.handler


@api.put(PATH, responses=answers(LinkAnswer, 400, 404, 409))
def set_link(
    customer_id: CustomerId,
    account_id: Annotated[int, Query(ge=1, le=MAX_ID, description="user_access.id")],
    refuse: Annotated[bool, Query(description="It is not this one: never link to it, nor suggest it")] = False,
) -> Json:
    """Confirm the account for the customer, before whatever the e-mails say, or refuse it.

    404 for an account that the caller may not see, 409 to an owner for one that an administrator refused.
    """
    verdict: Verdict = "refused" if refuse else "confirmed"
    return ok(choose(api.transaction, api.caller(), api.language, customer_id, account_id, verdict))


@api.delete(PATH, responses=answers(LinkAnswer, 400, 404, 409))
def undo_link(
    customer_id: CustomerId,
    account_id: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Only what was said of this account")] = None,
) -> Json:
    """Take back what was confirmed and refused for the customer: the e-mails decide again.

    What an administrator refused stays refused to an owner, and is 409 where it is named.
    """
    return ok(choose(api.transaction, api.caller(), api.language, customer_id, account_id, "undone"))
