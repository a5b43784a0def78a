"""The wire shapes: what each endpoint answers, under the contract's names."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Data = TypeVar("Data")

Count = Annotated[int, Field(ge=0)]
MinerStatus = Literal["active", "offline", "maintenance", "sold"]


class Schema(BaseModel):
    """Described in the OpenAPI document; built when somebody validates with it, as no request does."""

    model_config = ConfigDict(defer_build=True)


class ModelFigures(Schema):
    """What a customer has of one miner model, sold machines excepted."""

    count: Count = Field(description="Machines")
    hashrate: float = Field(description="TH/s of all of them")
    power: Count = Field(description="W of all of them")


class StatusCounts(Schema):
    """Machines by status; a status that is none of the four counts as offline."""

    active: Count
    offline: Count
    maintenance: Count
    sold: Count


class MinerDataSchema(Schema):
    """A batch of equal machines, from user_miners; a figure that is not a finite number >= 0 is shown as 0."""

    id: int = Field(description="user_miners.id")
    name: str = Field(description="The batch's custom_name, or the model's name")
    model: str = Field(description="miner_models.model_name")
    quantity: Count = Field(description="Machines")
    hashrate: float = Field(description="TH/s of one machine")
    total_hashrate: float = Field(description="TH/s of the batch: quantity x hashrate")
    power: Count = Field(description="W of one machine")
    total_power: Count = Field(description="W of the batch: quantity x power")
    status: MinerStatus = Field(description="As it counts: an unknown status is shown as offline")
    location: str | None = None
    electricity_cost: float = Field(description="USD/kWh; 0 is free power")
    daily_electricity_cost: float = Field(
        description="USD a day of the batch, were it running: total_power / 1000 x 24 x electricity_cost"
    )


class HostingStatsSchema(Schema):
    """A customer's fleet in figures, computed at the moment of asking; a sold machine is in `by_status` alone."""

    has_hosting: bool = Field(description="Whether an account matches the customer's e-mail")
    user_access_id: int | None = Field(None, description="user_access.id of that account, null without one")
    miners_count: Count = Field(description="Machines: active + offline + maintenance")
    total_hashrate: float = Field(description="TH/s of those machines, rounded to 0.01")
    total_power: Count = Field(description="W of those machines")
    total_power_mw: float = Field(description="The same in MW, rounded to 0.001")
    active_miners: Count = Field(description="Machines, not batches; so the next two")
    offline_miners: Count
    maintenance_miners: Count
    estimated_daily_btc: float = Field(
        description="BTC a day of the active machines: H/s x 86,400 / (difficulty x 2^32) x block reward, "
        "rounded to 0.00000001; 0 without usable market data"
    )
    estimated_daily_usd: float = Field(
        description="USD a day: the same before it is rounded, x btc_price, rounded to 0.01"
    )
    avg_efficiency: float = Field(description="W/TH: total_power / total_hashrate, rounded to 0.01; 0 without hashrate")
    by_model: dict[str, ModelFigures] = Field(description="By miner_models.model_name, most machines first")
    by_status: StatusCounts
    electricity_cost_daily: float = Field(
        description="USD a day of the active machines: kW x 24 x user_miners.electricity_cost, rounded to 0.01"
    )
    net_profit_daily: float = Field(description="USD a day: estimated_daily_usd - electricity_cost_daily")
    btc_price: float | None = Field(
        None, description="USD, of the newest usable row of network_snapshots; null without one"
    )
    network_difficulty: float | None = Field(None, description="Of the same row; null without one")
    market_as_of: str | None = Field(None, description="When that row was recorded, UTC; null without one")
    miners: list[MinerDataSchema] | None = Field(
        None, description="With `include=miners`: the newest 200 batches, as hosting-miners lists them"
    )
    miners_next: int | None = Field(
        None, description="With `include=miners`: the `after` of hosting-miners to go on with, null if these are all"
    )


class CustomerSchema(Schema):
    """A customer as the CRM holds it: the figures are those of its last sync, null before the first."""

    id: int
    name: str
    company: str | None = None
    status: str = Field(description="The CRM's: active, inactive, pending, new")
    has_email: bool = Field(description="Whether there is an address to link by")
    has_hosting: bool = Field(description="Whether an account matches it, now")
    miners_count: int
    mining_capacity: float | None = Field(None, description="MW")
    primary_miner_model: str | None = None
    estimated_daily_btc: float | None = None
    estimated_daily_usd: float | None = None
    net_profit_daily: float | None = None
    synced_at: str | None = Field(None, description="When a sync last changed the record, UTC")


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
    changes: dict[str, FieldChange]


class BatchPreviewSchema(SyncResultSchema):
    """What a batch would do; what the CRM would refuse shows only when it is written."""

    remaining: Count = Field(description="Customers that were not looked at when the time was up")
    changed: Count = Field(description="Of the synced: records that would change")
    changes: list[CustomerChanges] = Field(description="The first hundred of them")


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
    started_at: str = Field(description="UTC")
    ended_at: str | None = Field(None, description="UTC; null while it runs")
    duration_seconds: float


class RunFailure(Schema):
    """A customer that a run could not sync."""

    customer_id: int
    sqlstate: str = Field(description="55P03: its record was locked; else what PostgreSQL says of the data")
    constraint: str | None = Field(None, description="The constraint that refused it")


class RunDetails(Schema):
    """A run, and the customers that it could not sync."""

    run: RunSchema
    failures: list[RunFailure]


class SyncStatusSchema(Schema):
    """How well CRM and hosting agree."""

    total_customers: Count = Field(description="Customers in the caller's scope")
    linked_customers: Count = Field(description="Those whose e-mail matches an account, now")
    unlinked_customers: Count = Field(description="The others")
    link_rate: float = Field(ge=0, le=100, description="Linked of all in percent, rounded to 0.01; 0 without customers")
    last_sync: str | None = Field(None, description="End of the last completed batch over the caller's scope, UTC")
    sync_health: Literal["healthy", "warning", "critical"] = Field(
        description="critical: customers but none linked, or long without a completed batch; warning: any issue"
    )
    issues: list[str] = Field(description="A sentence for each cause, in the caller's language")


class Answer(Schema, Generic[Data]):
    """The envelope of every success with data."""

    success: Literal[True]
    data: Data


class StatsAnswer(Answer[HostingStatsSchema]):
    """A customer's fleet in figures."""


class MinersAnswer(Answer[list[MinerDataSchema]]):
    """A page of miners; `next` is the `after` of the next page, null at the end."""

    next: int | None = None


class CustomersAnswer(Answer[list[CustomerSchema]]):
    """A page of customers; `next` is the `after` of the next page, null at the end."""

    next: str | None = None


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
    """What a batch would change."""


class RunsAnswer(Answer[list[RunSchema]]):
    """A page of runs; `next` is the `before` of the next page, null at the end."""

    next: int | None = None


class RunAnswer(Answer[RunDetails]):
    """A run; `next` is the `after` of the next page of its failures, null at the end."""

    next: int | None = None


class Failure(Schema):
    """The one body of every failure."""

    success: Literal[False]
    error: str = Field(description="For a person, in Chinese, or in English where Accept-Language prefers it")
