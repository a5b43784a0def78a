"""What the endpoints of the history answer."""

from typing import Literal

from pydantic import Field

from crm_services.http.schemas.envelope import Answer, Count, Schema
from crm_services.http.schemas.fleet import BY_LOCATION, LocationFigures


class DaySchema(Schema):
    """A fleet's day, as the last sync of that day left it."""

    day: str = Field(description="By the calendar of the deployment's HistoryTimeZone")
    carried: bool = Field(description="Whether nothing was synced that day: the figures are the last ones before it")
    miners_count: Count = Field(description="Machines: active + offline + maintenance")
    active_miners: Count
    offline_miners: Count
    maintenance_miners: Count
    total_hashrate: float = Field(description="TH/s of those machines, rounded to 0.01")
    total_power: Count = Field(description="W of those machines")
    estimated_daily_btc: float | None = Field(None, description="BTC of that day; null without usable market data")
    estimated_daily_usd: float | None = Field(None, description="USD of that day; null without usable market data")
    electricity_cost_daily: float = Field(description="USD of that day")
    net_profit_daily: float | None = Field(None, description="estimated_daily_usd - electricity_cost_daily")
    by_location: dict[str, LocationFigures] | None = Field(
        None, description=f"{BY_LOCATION}; null of a day that was kept before locations were"
    )
    btc_price: float | None = Field(None, description="USD, by which that day was worked out")
    network_difficulty: float | None = None


class ScopeDaySchema(DaySchema):
    """A day of all customers in scope; a fleet that several of them share is counted once."""

    customers: Count = Field(description="Customers with a fleet")
    total_customers: Count | None = Field(
        None, description="With and without one, as sync-status counts them; null of a day for which it was not kept"
    )
    linked_customers: Count | None = Field(None, description="Of those, the linked")


class HistoryAnswer(Answer[list[DaySchema]]):
    """A customer's days, oldest first."""


class ScopeHistoryAnswer(Answer[list[ScopeDaySchema]]):
    """The scope's days, oldest first."""


class FleetSchema(Schema):
    """A fleet on one day, as the customer's history has it."""

    miners_count: Count = Field(description="Machines: active + offline + maintenance")
    active_miners: Count
    offline_miners: Count
    maintenance_miners: Count
    total_hashrate: float = Field(description="TH/s of those machines, rounded to 0.01")
    total_power: Count = Field(description="W of those machines")
    net_profit_daily: float | None = Field(None, description="USD of that day; null without usable market data")


class ChangeSchema(Schema):
    """A fleet that was another one on one day than on the other."""

    customer_id: int
    name: str
    before: FleetSchema | None = Field(None, description="null where the fleet is new")
    after: FleetSchema

    @classmethod
    def columns(cls) -> list[str]:
        """The columns of a table: each figure has one, as in `before.miners_count`."""
        figures = FleetSchema.columns()
        return ["customer_id", "name", *(f"{which}.{name}" for which in ("before", "after") for name in figures)]


class MarketSchema(Schema):
    """By what the last sync of a day worked its figures out."""

    btc_price: float | None = Field(None, description="USD")
    network_difficulty: float | None = None


class BothMarkets(Schema):
    """Of the two days; null where nothing had been synced by then."""

    before: MarketSchema | None = None
    after: MarketSchema | None = None


class ChangesAnswer(Answer[list[ChangeSchema]]):
    """A page of the fleets that changed, largest difference of the hashrate that earns first."""

    day: str | None = Field(None, description="Of which day; null before the first sync")
    since: str | None = Field(
        None, description="The synced day before it, which it is compared with; null where none is"
    )
    market: BothMarkets
    count: Count = Field(
        description="How many fleets changed, beyond the page too; of more than 1,000 as the last sync left the links"
    )
    next: str | None = Field(None, description="What `after` takes to go on; null at the end")


class AttentionSchema(Schema):
    """Something that changed for the worse between two days, and is not well again."""

    customer_id: int
    name: str
    kind: Literal["hashrate_down", "offline_share", "link_lost", "unusable_figure"]
    since: str = Field(description="The day of the change")
    before: float | None = Field(
        None, description="TH/s of the active machines, or % of the machines that were offline; null for the others"
    )
    after: float | None = Field(None, description="The same, as of the last run")
    severity: float = Field(ge=0, le=100, description="% of the fleet that is lost; 100 for a link, 0 for figures")


class AttentionAnswer(Answer[list[AttentionSchema]]):
    """What needs attention, worst first; `customers` is how many customers it is about, beyond `limit` too."""

    customers: Count
