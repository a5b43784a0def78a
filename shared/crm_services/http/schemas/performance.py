"""What hosting-performance answers."""

from pydantic import Field

from crm_services.http.schemas.envelope import Answer, Count, Schema
from crm_services.http.schemas.fleet import MinerStatus


class NamedMiner(Schema):
    """Which machine, and where it stands."""

    id: int = Field(description="hosting_miners.id")
    name: str = Field(description="Its serial number")
    model: str
    location: str | None = Field(None, description="The name of its site")
    rack_position: str | None = None


class LowMiner(NamedMiner):
    """An active machine that hashes less than 80 % of its model's reference."""

    hashrate: float = Field(description="TH/s, live")
    reference: float = Field(description="TH/s by the model's data sheet")
    percent: float = Field(ge=0, description="hashrate / reference, rounded to 0.1")
    temperature: float | None = Field(None, description="°C of its hottest part")
    reject_rate: float | None = Field(None, ge=0, le=100, description="% of its shares")
    health: float | None = Field(None, ge=0, le=100, description="The CRM's health_score")


class SilentMiner(NamedMiner):
    """A machine that does not answer its collector."""

    status: MinerStatus
    since: str | None = Field(None, description="When it was seen last, UTC; null for one that never was")


class HashrateFigures(Schema):
    """Active machines whose model's reference is known: what they hash, and should."""

    actual: float = Field(description="TH/s, rounded to 0.01")
    reference: float = Field(description="TH/s by their models' data sheets, rounded to 0.01")
    percent: float | None = Field(
        None, ge=0, le=1000, description="actual / reference, rounded to 0.1; null without any; 1000 is that or more"
    )
    measured: Count = Field(description="How many there are")
    low: Count = Field(description="How many hash less than 80 % of their reference")
    lowest: list[LowMiner] = Field(description="The worst fifty of them, worst first")


class ModelPerformance(Schema):
    """What a customer's machines of one model hash."""

    model: str = Field(description="miner_models.model_name")
    miners_count: Count = Field(description="Machines, sold ones excepted")
    active_miners: Count
    hashrate: float = Field(description="TH/s of the active ones, rounded to 0.01")
    reference: float | None = Field(None, description="TH/s of one machine by its data sheet; null where it is unknown")
    percent: float | None = Field(None, ge=0, le=1000, description="As of all machines")
    low: Count


class TopReadings(Schema):
    """What active machines read, as far as a machine can; null where none has a reading."""

    average: float | None = None
    highest: float | None = None
    measured: Count = Field(description="How many have a reading")


class HealthReadings(Schema):
    """The CRM's health_score of active machines, 0 to 100; null where none has one."""

    average: float | None = None
    lowest: float | None = None
    measured: Count = Field(description="How many have one")


class Silence(Schema):
    """Machines, those in maintenance excepted, that do not answer, or were not seen for 15 minutes."""

    count: Count
    watched: Count = Field(description="Of how many the collector knows anything; 0: nothing is known of any")
    never_seen: Count = Field(description="How many of the silent ones were never seen")
    longest: list[SilentMiner] = Field(description="The worst fifty, longest silent first, those never seen last")


class PerformanceDay(Schema):
    """A day of UTC of the machines that the customer has now."""

    day: str
    miners: Count = Field(description="How many the collector kept that day of")
    uptime_percent: float | None = Field(None, ge=0, le=100, description="Rounded to 0.01")
    energy_kwh: float | None = Field(None, ge=0, description="Rounded to 0.1")


class LastDays(Schema):
    """The last thirty days that are over."""

    from_: str = Field(alias="from", description="The first of them")
    to: str = Field(description="The last, yesterday in UTC")
    uptime_percent: float | None = Field(None, ge=0, le=100, description="The mean of all machines' days")
    energy_kwh: float | None = Field(None, ge=0, description="Of all machines and days; null where none was kept")
    days: list[PerformanceDay] = Field(description="Those of which anything was kept, oldest first")


class PerformanceSchema(Schema):
    """How a customer's machines do, as the hosting module's collector wrote it last; sold machines are left out."""

    has_hosting: bool
    user_access_id: int | None = None
    as_of: str = Field(description="When it was asked, UTC")
    miners_count: Count = Field(description="Machines: active + offline + maintenance")
    active_miners: Count
    offline_miners: Count
    maintenance_miners: Count
    hashrate: HashrateFigures
    by_model: list[ModelPerformance] = Field(description="Most machines first, 200 models at most")
    temperature: TopReadings = Field(description="°C; what is not between 0 and 200 is no reading")
    reject_rate: TopReadings = Field(description="% of the shares")
    health: HealthReadings
    silent: Silence
    last_30_days: LastDays | None = Field(None, description="null where the CRM keeps no days (telemetry_daily)")


class PerformanceAnswer(Answer[PerformanceSchema]):
    """How a customer's machines do."""
