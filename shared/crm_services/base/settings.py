"""The environment, read late and once; importing any module needs none of it. The secrets it names: `secrets`."""

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Literal, TypeVar, get_args

from crm_services.base.errors import MissingSetting, UnusableSetting

HOUR = timedelta(hours=1)
Choice = TypeVar("Choice", bound=str)

# The tables of the CRM's that may hold the machines.
MachineSource = Literal["user_miners", "hosting_miners"]
MACHINE_SOURCES: tuple[MachineSource, ...] = get_args(MachineSource)
# The zone whose wall clock the CRM's calculator writes.
CRM_TIME_ZONE = "America/New_York"


@dataclass(frozen=True)
class Thresholds:
    """Where `sync-status` warns; the first three are the template's parameters, and where an alarm rings."""

    link_rate_percent: Decimal = Decimal(20)
    error_rate_percent: Decimal = Decimal(5)
    sync_age: timedelta = timedelta(hours=24)
    # What needs attention: so much less hashrate than the day before, so large a part of the machines offline.
    hashrate_drop_percent: Decimal = Decimal(20)
    offline_percent: Decimal = Decimal(20)
    critical_sync_age: timedelta = timedelta(hours=48)
    market_age: timedelta = timedelta(hours=6)
    # What 1 TH/s earns a day at most: beyond it a price or a difficulty is in another unit.
    usd_per_terahash: Decimal = Decimal(100)
    btc_per_terahash: Decimal = Decimal("0.001")


@dataclass(frozen=True)
class Settings:
    """What differs between deployments and is not secret."""

    link_any: bool
    prepare_statements: bool
    public_origin: str
    allowed_origins: frozenset[str]
    session_cookie: str
    session_seconds: float
    frame_ancestors: str
    sign_in_url: str
    sync_state_machine: str | None
    batch_workers: int
    batch_functions: int
    request_run_seconds: float
    run_dead_after_seconds: float
    run_pause_seconds: float
    run_retention_days: int
    history_days: int
    attention_topic_arn: str | None
    thresholds: Thresholds


@dataclass(frozen=True)
class MarketUrls:
    """The APIs that know price and network, by their base URLs: the first choice, and who is asked in its absence."""

    mempool: str = "https://mempool.space/api"
    bitstamp: str = "https://www.bitstamp.net/api/v2"
    esplora: str = "https://blockstream.info/api"


def market_urls() -> MarketUrls:
    """Where market_refresh fetches what it appends."""
    return MarketUrls(
        os.environ.get("MARKET_URL") or MarketUrls.mempool,
        os.environ.get("MARKET_PRICE_URL") or MarketUrls.bitstamp,
        os.environ.get("MARKET_CHAIN_URL") or MarketUrls.esplora,
    )


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings(
        link_any=one_of("LINK_SCOPE", ("any", "tenant")) == "any",
        prepare_statements=os.environ.get("PREPARE_STATEMENTS", "true") == "true",
        public_origin=os.environ.get("PUBLIC_ORIGIN", ""),
        allowed_origins=frozenset(os.environ.get("ALLOWED_ORIGINS", "").replace(",", " ").split()),
        session_cookie=os.environ.get("SESSION_COOKIE") or "session",
        session_seconds=3600 * float(_number("SESSION_HOURS", Decimal(8))),
        frame_ancestors=os.environ.get("FRAME_ANCESTORS") or "'self'",
        sign_in_url=_page_of_the_crm("SIGN_IN_URL"),
        sync_state_machine=os.environ.get("SYNC_STATE_MACHINE"),
        batch_workers=whole("BATCH_WORKERS", 1),
        batch_functions=whole("BATCH_FUNCTIONS", 1),
        request_run_seconds=float(_number("REQUEST_RUN_SECONDS", Decimal(20))),
        run_dead_after_seconds=float(_number("RUN_DEAD_AFTER_SECONDS", Decimal(300))),
        run_pause_seconds=float(_number("RUN_PAUSE_SECONDS", Decimal(60))),
        run_retention_days=whole("RUN_RETENTION_DAYS", 90),
        attention_topic_arn=os.environ.get("ATTENTION_TOPIC_ARN") or None,
        history_days=whole("HISTORY_DAYS", 730),
        thresholds=Thresholds(
            link_rate_percent=_number("LINK_RATE_PERCENT", Thresholds.link_rate_percent),
            error_rate_percent=_number("SYNC_ERROR_PERCENT", Thresholds.error_rate_percent),
            hashrate_drop_percent=_number("HASHRATE_DROP_PERCENT", Thresholds.hashrate_drop_percent),
            offline_percent=_number("OFFLINE_PERCENT", Thresholds.offline_percent),
            sync_age=HOUR * int(_number("SYNC_AGE_HOURS", Decimal(Thresholds.sync_age // HOUR))),
        ),
    )


def machine_source() -> MachineSource:
    """Whose rows the migration makes the fleet."""
    return one_of("MACHINE_SOURCE", MACHINE_SOURCES, "user_miners")


def snapshot_time_zone() -> str:
    """The zone by whose wall clock the migration has the CRM's snapshots read."""
    return os.environ.get("SNAPSHOT_TIME_ZONE") or CRM_TIME_ZONE


@cache
def history_time_zone() -> str:
    """The zone by whose calendar a day of the history ends; raises UnusableSetting where nobody knows it."""
    zone = os.environ.get("HISTORY_TIME_ZONE") or "UTC"
    if zone != "UTC":
        # Lambda has no time zones of its own.
        from dateutil.zoneinfo import get_zonefile_instance  # type: ignore[import-untyped] # noqa: PLC0415

        if get_zonefile_instance().get(zone) is None:
            raise UnusableSetting("HISTORY_TIME_ZONE", "a name of the IANA time zone database")
    return zone


def connection_limit() -> int:
    """The most connections that the bundle's role may have open."""
    return whole("CONNECTION_LIMIT", 25)


def required(name: str) -> str:
    """The setting of that name; raises MissingSetting where it is not there."""
    try:
        return os.environ[name]
    except KeyError:
        raise MissingSetting(name) from None


def whole(name: str, default: int) -> int:
    """The setting of that name; raises UnusableSetting where it is no whole number from 1 on."""
    number = _number(name, Decimal(default))
    if number < 1 or number % 1:
        raise UnusableSetting(name, "a whole number from 1 on")
    return int(number)


def one_of(name: str, choices: tuple[Choice, ...], default: Choice | None = None) -> Choice:
    """The setting of that name; raises UnusableSetting where it is none of the choices, MissingSetting without any."""
    value = os.environ.get(name) or default or required(name)
    for choice in choices:
        if choice == value:
            return choice
    raise UnusableSetting(name, " or ".join(choices))


def _page_of_the_crm(name: str) -> str:
    url = os.environ.get(name) or "/"
    # A path of the CRM's own domain, or an address: never a script.
    if not re.match(r"/(?![/\\])|https://", url):
        raise UnusableSetting(name, "a path that begins with /, or an https:// address")
    return url


def _number(name: str, default: Decimal) -> Decimal:
    try:
        number = Decimal(os.environ.get(name) or default)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise UnusableSetting(name, "a number")
    return number
