"""What the endpoints that read fleets answer, under the contract's names."""

from typing import Literal

from pydantic import Field

from crm_services.fleet.customers import Finding
from crm_services.http.schemas.envelope import Answer, Count, Schema

BY_LOCATION = (
    "By the machines' location (the name of the site), most hashrate first, then by name; they add up to the fleet. "
    "After the first 20 the others are together as `__other__`, machines without a location are at `__none__`; "
    "a location whose own name begins with two underscores has a third"
)
MinerStatus = Literal["active", "offline", "maintenance", "sold"]


class ModelFigures(Schema):
    """What a customer has of one miner model, sold machines excepted."""

    count: Count = Field(description="Machines")
    hashrate: float = Field(description="TH/s of all of them")
    power: Count = Field(description="W of all of them")


class LocationFigures(Schema):
    """What stands at a location, sold machines excepted."""

    count: Count = Field(description="Machines")
    hashrate: float = Field(description="TH/s of all of them, not rounded")
    power: Count = Field(description="W of all of them")


class StatusCounts(Schema):
    """Machines by status; a status that is none of the four counts as offline."""

    active: Count
    offline: Count
    maintenance: Count
    sold: Count


class MinerDataSchema(Schema):
    """A batch of equal machines, or one of the hosting module's; a figure that is none >= 0 is shown as 0."""

    id: int = Field(description="user_miners.id or hosting_miners.id, until the CRM writes the row anew")
    name: str = Field(
        description="The batch's custom_name, or the model's name; of the hosting module's the serial number"
    )
    model: str = Field(description="miner_models.model_name")
    quantity: Count = Field(description="Machines")
    hashrate: float = Field(description="TH/s of one machine")
    total_hashrate: float = Field(description="TH/s of the batch: quantity x hashrate")
    power: Count = Field(description="W of one machine")
    total_power: Count = Field(description="W of the batch: quantity x power")
    status: MinerStatus = Field(
        description="As it counts: online and manual are active, error, disabled, pending and unknown ones offline"
    )
    location: str | None = Field(None, description="The row's, or the name of the site")
    electricity_cost: float = Field(description="USD/kWh; 0 is free power")
    daily_electricity_cost: float = Field(
        description="USD a day of the batch, were it running: total_power / 1000 x 24 x electricity_cost"
    )


class HostingStatsSchema(Schema):
    """A customer's fleet in figures, computed at the moment of asking; a sold machine is in `by_status` alone."""

    has_hosting: bool = Field(
        description="Whether the CRM names an account for the customer, or one matches its e-mail"
    )
    user_access_id: int | None = Field(None, description="user_access.id of that account, null without one")
    miners_count: Count = Field(description="Machines: active + offline + maintenance")
    total_hashrate: float = Field(description="TH/s of those machines, rounded to 0.01")
    total_power: Count = Field(description="W of those machines")
    total_power_mw: float = Field(description="The same in MW, rounded to 0.001")
    active_power: Count = Field(0, description="W of the active ones: what electricity_cost_daily pays for")
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
    by_location: dict[str, LocationFigures] = Field({}, description=BY_LOCATION)
    by_status: StatusCounts
    electricity_cost_daily: float = Field(
        description="USD a day of the active machines: kW x 24 x the row's price (the site's), rounded to 0.01"
    )
    net_profit_daily: float = Field(
        description="USD a day: estimated_daily_usd - electricity_cost_daily; 0 without usable market data"
    )
    btc_price: float | None = Field(
        None, description="USD, of the newest usable snapshot, the CRM's or the bundle's; null without one"
    )
    network_difficulty: float | None = Field(None, description="Of the same snapshot; null without one")
    market_as_of: str | None = Field(None, description="When that snapshot was recorded, UTC; null without one")
    miners: list[MinerDataSchema] | None = Field(
        None, description="The newest 200 batches, as hosting-miners lists them; absent with `include=`"
    )
    miners_next: str | None = Field(
        None, description="The `after` of hosting-miners to go on with, null if these are all"
    )


class CustomerSchema(Schema):
    """A customer as the CRM holds it: the figures are those of its last sync, null before the first."""

    id: int
    name: str
    company: str | None = None
    status: str = Field(description="The CRM's: active, inactive, pending, new")
    has_email: bool = Field(description="Whether there is an address to link by")
    has_hosting: bool = Field(description="Whether it is linked to an account, now")
    miners_count: int
    mining_capacity: float | None = Field(None, description="MW")
    primary_miner_model: str | None = None
    estimated_daily_btc: float | None = None
    estimated_daily_usd: float | None = None
    net_profit_daily: float | None = None
    synced_at: str | None = Field(None, description="When a sync last changed the record, UTC")
    findings: list[Finding] = Field([], description="What the last sync found of its machines: figures to be mended")


class StatsAnswer(Answer[HostingStatsSchema]):
    """A customer's fleet in figures."""


class MinersAnswer(Answer[list[MinerDataSchema]]):
    """A page of miners; `next` is the `after` of the next page, null at the end."""

    next: str | None = None


class CustomersAnswer(Answer[list[CustomerSchema]]):
    """A page of customers; `next` is the `after` of the next page, null at the end."""

    next: str | None = None
