"""What the endpoints of the sync and its runs answer."""

from typing import Literal

from pydantic import Field

from crm_services.http.schemas.envelope import Answer, Count, Schema


class SyncResultSchema(Schema):
    """What became of the customers of a batch: total = synced + skipped + errors."""

    total: Count = Field(description="Customers in the caller's scope")
    synced: Count = Field(description="Up to date now, whether anything had changed or not")
    skipped: Count = Field(description="Not linked, or linked to an account without miners")
    errors: Count = Field(description="Could not be written: locked, or refused by the database")
    remaining: Count = Field(0, description="Customers left when the time was up; absent where there are none")


class FieldChange(Schema):
    """A field of the customer's record as it is, and as a sync would have it."""

    before: int | float | str | None
    after: int | float | str | None


class CustomerChanges(Schema):
    """The fields of a customer's record that a sync would change."""

    customer_id: int
    name: str
    changes: dict[str, FieldChange]


class BatchPreviewSchema(SyncResultSchema):
    """What a batch would do; what the CRM would refuse shows only when it is written."""

    remaining: Count = Field(description="Customers that were not looked at: the time was up, or a later page was full")
    changed: Count = Field(description="Of the synced: records that would change")
    changes: list[CustomerChanges] = Field(description="The first hundred of them, by id")


class RunSchema(Schema):
    """A run of the batch: total = synced + skipped + errors."""

    run_id: int
    tenant_id: int | None = Field(None, description="Whose customers it covers; null: everybody's")
    origin: Literal["schedule", "request", "console"]
    started_by: int | None = Field(None, description="The account that asked for it")
    state: Literal["running", "completed", "partial", "failed", "abandoned"]
    failure: str | None = Field(None, description="Why it failed: an SQLSTATE or the name of an error")
    total: Count
    linked: Count
    synced: Count
    skipped: Count
    errors: Count
    changed: Count = Field(description="Of the synced: records that changed")
    links_lost: Count = Field(
        description="Links that it found lost: those customers were cleared, as one without miners is"
    )
    links_ambiguous: Count | None = Field(
        None, description="Customers whose e-mail several accounts have, as it left them; null unless it completed"
    )
    links_shared: Count | None = Field(
        None, description="Customers whose account another one of the scope is linked to; null unless it completed"
    )
    started_at: str = Field(description="UTC")
    ended_at: str | None = Field(None, description="UTC; null while it runs")
    day: str = Field(description="Of the history, on which it ended: by the calendar of HistoryTimeZone")
    duration_seconds: float


class RunFailure(Schema):
    """A customer that a run could not sync."""

    customer_id: int
    name: str | None = Field(None, description="Null where the customer is gone, or out of the caller's sight by now")
    sqlstate: str = Field(description="55P03: its record was locked; else what PostgreSQL says of the data")
    constraint: str | None = Field(None, description="The constraint that refused it")


class RunDetails(Schema):
    """A run, and the customers that it could not sync."""

    run: RunSchema
    failures: list[RunFailure]


class SyncStatusSchema(Schema):
    """How well CRM and hosting agree."""

    total_customers: Count = Field(description="Customers in the caller's scope")
    linked_customers: Count = Field(description="Those that are linked to an account")
    unlinked_customers: Count = Field(description="The others")
    link_rate: float = Field(ge=0, le=100, description="Linked of all in percent, rounded to 0.01; 0 without customers")
    last_sync: str | None = Field(None, description="End of the last completed batch over the caller's scope, UTC")
    counted_at: str | None = Field(
        None, description="Where customers are so many that they are not counted now: when a batch counted them, UTC"
    )
    sync_health: Literal["healthy", "warning", "critical"] = Field(
        description="critical: customers but none linked, or long without a completed batch; warning: any issue"
    )
    issues: list[str] = Field(description="A sentence for each cause, in the caller's language")
    causes: list[str] = Field([], description="The names of these causes, in the same order: what a program goes by")
    remedies: dict[str, str] = Field(
        {},
        description="What to do about those that no list of customers leads to, by cause; absent where there are none",
    )


class StatusAnswer(Answer[SyncStatusSchema]):
    """How well CRM and hosting agree."""


class SyncedAnswer(Schema):
    """One customer was synchronised."""

    success: Literal[True]
    message: str


class BatchAnswer(Answer[SyncResultSchema]):
    """A batch ended."""

    message: str


class SyncPreviewAnswer(Answer[dict[str, FieldChange]]):
    """What the sync of one customer would change, by field; empty where it would change nothing."""


class BatchPreviewAnswer(Answer[BatchPreviewSchema]):
    """What a batch would change; `next` is the `after` of the next page of changes, null at the end."""

    next: int | None = None


class LastRun(Schema):
    """The newest completed run that covered the caller's customers: his own, or one over everybody."""

    run_id: int | None = Field(None, description="Null where the run is not the caller's to see")
    ended_at: str = Field(description="UTC")
    errors: Count = Field(description="Of the caller's customers, those that it could not sync")
    is_over_everybody: bool
    failures: list[RunFailure] = Field(
        [], description="The first hundred of them, by id, that are still the caller's customers"
    )


class RunsAnswer(Answer[list[RunSchema]]):
    """A page of runs; `next` is the `before` of the next page, null at the end."""

    next: int | None = None
    last: LastRun | None = None


class RunAnswer(Answer[RunDetails]):
    """A run; `next` is the `after` of the next page of its failures, null at the end."""

    next: int | None = None
