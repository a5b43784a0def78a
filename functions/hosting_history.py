"""GET /crm/api/customer/{customer_id}/hosting-history, GET /crm/api/hosting/history and …/attention: what happened."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.history.attention import attention_json
from crm_services.history.customer import customer_history_json
from crm_services.history.period import period
from crm_services.history.scope import scope_history_json
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api, CustomerId
from crm_services.http.csv import Shape
from crm_services.http.schemas.history import (
    AttentionAnswer,
    DaySchema,
    HistoryAnswer,
    ScopeDaySchema,
    ScopeHistoryAnswer,
)

DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
From = Annotated[str | None, Query(alias="from", pattern=DATE, description="The first day; 30 days back unless said")]
To = Annotated[str | None, Query(alias="to", pattern=DATE, description="The last day, at most 400 on; else today")]

api = Api(Permission.VIEW)
handler = api.handler


@api.get("/crm/api/customer/<customer_id>/hosting-history", responses=answers(HistoryAnswer, 400, 404, table=True))
def hosting_history(customer_id: CustomerId, first: From = None, upto: To = None, shape: Shape = None) -> Json:
    """A customer's fleet, day by day, as the syncs left it.

    Oldest first, from its first sync on. Without a sync a day has the figures of the last one, and says so. The days of
    an account that the customer is not linked to any more are gone.
    """
    days = customer_history_json(api.transaction, customer_id, period(first, upto))
    return api.table(days, DaySchema, shape) or ok(days)


@api.get("/crm/api/hosting/history", responses=answers(ScopeHistoryAnswer, 400, table=True))
def scope_history(first: From = None, upto: To = None, shape: Shape = None) -> Json:
    """All fleets of the caller's customers together, day by day, as the daily runs left them."""
    days = scope_history_json(api.transaction, api.caller(), period(first, upto))
    return api.table(days, ScopeDaySchema, shape) or ok(days)


@api.get("/crm/api/hosting/attention", responses=answers(AttentionAnswer, 400))
def attention(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Json:
    """What changed for the worse between two days, worst first, until it is well again or a month has passed.

    As the last run over everybody found it: hashrate lost, machines offline, a lost link, figures that turned unusable.
    """
    worst, customers = attention_json(api.transaction, limit)
    return ok(worst, customers=customers)
