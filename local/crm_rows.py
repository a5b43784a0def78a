"""Rows as the CRM's own code writes them: its units, its clock, its words, and the columns that the bundle never reads.

The demo, the tests and the benchmarks have theirs from here, so that none of them is kinder to the bundle than the CRM.
What is not there is left to the column's default, as the CRM does.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pg8000.native import Connection

Row = dict[str, Any]

# The calculator writes a snapshot's difficulty in this unit, and its time as the wall clock of this zone.
DIFFICULTY_UNIT = 1e12
CLOCK = ZoneInfo("America/New_York")

# The words of user_miners' only writer, the batch calculator's autosave, and how many rows in a hundred have each.
STATUSES = {"manual": 58, "online": 28, "offline": 6, "maintenance": 5, "error": 3}
# Those of the hosting module.
HOSTED_STATUSES = {"online": 60, "active": 26, "offline": 6, "maintenance": 4, "error": 2, "disabled": 1, "pending": 1}

# Who has made an account: its own form of registration, the CRM's customer form ("grant calculator access"), neither of
# which says so in created_by_id; or a site owner, who is named there and links the customer by user_account_id.
REGISTERED, GRANTED, OPENED = "registered", "granted", "opened by a site owner"

_HASH = "scrypt:32768:8:1$Yp1nVq3sGm2kTz8d$" + "5e" * 64


def account(name: str, email: str, role: str = "client", made: str = REGISTERED, by: int | None = None) -> Row:
    """A row of `user_access`; `by` is the site owner who opened it."""
    return {
        "name": name,
        "email": email,
        "password_hash": _HASH,
        "is_email_verified": made != GRANTED,
        "company": None,
        "access_days": 30,
        "notes": {GRANTED: "CRM customer", OPENED: "hosting client"}.get(made),
        "role": role,
        "is_active": True,
        "created_by_id": by if made == OPENED else None,
        "subscription_plan": "free",
    }


def customer(name: str, email: str | None, owner: int | None, account_id: int | None = None, **columns: Any) -> Row:
    """A row of `crm_customers`; `account_id` is the account that a site owner opened for it."""
    return {
        "name": name,
        "email": email,
        "phone": None,
        "address": None,
        "tags": None,
        "customer_type": "企业" if columns.get("company") else "个人",
        "notes": None,
        "status": "active",
        "created_by_id": owner,
        "user_account_id": account_id,
        **columns,
    }


def model(name: str, manufacturer: str, hashrate: float, power: int) -> Row:
    """A row of `miner_models`, of a machine's TH/s and W by its data sheet."""
    return {
        "model_name": name,
        "manufacturer": manufacturer,
        "reference_hashrate": hashrate,
        "reference_power": power,
        "reference_efficiency": round(power / hashrate, 1),
        "chip_type": "ASIC",
        "is_active": True,
    }


def batch(account_id: int, model_id: int, **columns: Any) -> Row:
    """A row of `user_miners` as the autosave writes it: typed in by hand unless said otherwise, without a name."""
    return {
        "user_id": account_id,
        "miner_model_id": model_id,
        "custom_name": None,
        "quantity": 1,
        "status": "manual",
        "location": None,
        "original_hashrate": columns.get("actual_hashrate"),
        "actual_price": 0.0,
        "notes": "Auto-saved from batch calculator",
        **columns,
    }


def site(name: str, electricity_rate: float, owner: int | None = None, **columns: Any) -> Row:
    """A row of `hosting_sites`."""
    return {
        "name": name,
        "location": name,
        "capacity_mw": 20.0,
        "used_capacity_mw": 0.0,
        "electricity_rate": electricity_rate,
        "operator_name": "Operations",
        "status": "online",
        "owner_id": owner,
        **columns,
    }


def machine(account_id: int, site_id: int, model_id: int, serial_number: str, **columns: Any) -> Row:
    """A row of `hosting_miners`: a machine that was approved, as its collector last saw it."""
    return {
        "customer_id": account_id,
        "site_id": site_id,
        "miner_model_id": model_id,
        "serial_number": serial_number,
        "rack_position": None,
        "status": "online",
        "approval_status": "approved",
        "health_score": 100,
        "temperature_avg": 62.5,
        "temperature_max": 71.0,
        "reject_rate": 0.12,
        "cgminer_online": True,
        **columns,
    }


def machine_day(site_id: int, serial_number: str, day: date, hashrate: float = 200.0, **columns: Any) -> Row:
    """A row of `telemetry_daily`: what the collector made of the minutes of a day of UTC on which it ran all day."""
    return {
        "day": day,
        "site_id": site_id,
        "miner_id": serial_number,
        "avg_hashrate_ths": hashrate,
        "avg_temp_c": 62.5,
        "avg_power_w": 3500.0,
        "total_power_kwh": 84.0,
        "online_ratio": 1.0,
        "uptime_hours": 24.0,
        "samples": 1440,
        **columns,
    }


def snapshot(price: float, difficulty: float, at: datetime | None = None, reward: float = 3.125, **columns: Any) -> Row:
    """A row of `network_snapshots` about that moment (now; one without a zone is UTC), of the difficulty as it is."""
    moment = at or datetime.now(UTC)
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return {
        "recorded_at": aware.astimezone(CLOCK).replace(tzinfo=None),
        "btc_price": price,
        "network_difficulty": difficulty / DIFFICULTY_UNIT,
        "network_hashrate": round(difficulty * 2**32 / 600 / 1e18, 2),
        "block_reward": reward,
        "price_source": "coingecko",
        "data_source": "calculator",
        **columns,
    }


def autosave(db: Connection, account_id: int, batches: Sequence[Row]) -> None:
    """What the calculator does with its table: the account's rows without a name go, its rows come, with other ids."""
    db.run("begin")
    db.run("delete from user_miners where user_id = :account and custom_name is null", account=account_id)
    for one in batches:
        insert(db, "user_miners", one)
    db.run("commit")


def insert(db: Connection, table: str, row: Row) -> int:
    """Insert the row; returns its id."""
    values = ", ".join(f":{name}" for name in row)
    found: int = db.run(f"insert into {table} ({', '.join(row)}) values ({values}) returning id", **row)[0][0]
    return found


def any_of(words: dict[str, int], number: str = "random()") -> str:
    """SQL for one of the words, each as often as it is said to be; `number` is from 0 up to 1."""
    hundred = ", ".join(f"'{word}'" for word, share in words.items() for _ in range(share))
    return f"(array[{hundred}])[1 + floor(({number}) * {sum(words.values())})::int]"
