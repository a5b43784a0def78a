"""GET …/customer/{customer_id}/hosting-history, GET …/hosting/history, …/changes and …/attention: what happened."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.access.roles import Permission
from crm_services.history.attention import attention_json
from crm_services.history.changes import changes
from crm_services.history.customer import customer_history_json
from crm_services.history.period import day_named, period
from crm_services.history.scope import scope_history_json
from crm_services.http.answers import Json, answers, ok
from crm_services.http.api import Api, CustomerId
from crm_services.http.csv import Shape
from crm_services.http.schemas.history import (
    AttentionAnswer,
    AttentionSchema,
    ChangesAnswer,
    ChangeSchema,
    DaySchema,
    HistoryAnswer,
    ScopeDaySchema,
    ScopeHistoryAnswer,
)

DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
From = Annotated[str | None, Query(alias="from", pattern=DATE, description="The first day; 30 days back unless said")]
To = Annotated[str | None, Query(alias="to", pattern=DATE, description="The last day, at most 400 on; else today")]
# What a page's `next` says: the last one's difference in TH/s and its id.
PLACE = r"^[0-9]{1,400}(\.[0-9]{1,2})?:-?[0-9]{1,10}$"

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


@api.get("/crm/api/hosting/changes", responses=answers(ChangesAnswer, 400, table=True))
def hosting_changes(
    day: Annotated[str | None, Query(pattern=DATE, description="The last day that was synced unless said")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    after: Annotated[str | None, Query(pattern=PLACE)] = None,
    shape: Shape = None,
) -> Json:
    """Which fleets were others on a day than on the day before it that was synced, and which are new.

    Largest difference of what earns first. Figures are those of the customer's own history, each day by its own market.
    A link that is lost is a matter of attention, and the days of an account that is not linked any more are gone.
    """
    found = changes(api.transaction, api.caller(), day_named("day", day), after, limit)
    return api.table(found.fleets, ChangeSchema, shape, {"after": found.following}) or ok(
        found.fleets,
        day=found.day and found.day.isoformat(),
        since=found.since and found.since.isoformat(),
        market=found.market,
        count=found.total,
        next=found.following,
    )


@api.get("/crm/api/hosting/attention", responses=answers(AttentionAnswer, 400, table=True))
def attention(limit: Annotated[int, Query(ge=1, le=1000)] = 100, shape: Shape = None) -> Json:
    """What changed for the worse between two days, worst first, until it is well again or a month has passed.

    As the last run over everybody found it: hashrate lost, machines offline, a lost link, figures that turned unusable.
    """
    worst, customers = attention_json(api.transaction, limit)
    return api.table(worst, AttentionSchema, shape) or ok(worst, customers=customers)
