"""What hosting-performance answers a second time: plain Python over rows, written from its schema, sharing no code."""

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.support.oracle import ASCII_LOWER, BLANKS, MEANINGS, STATUSES, decimal, exact, number, rounded

Row = dict[str, Any]
DECADES_AGO = datetime(2009, 1, 3)


def performance(
    account: int | None, machines: list[Row], days: list[Row], models: dict[int, Row], now: datetime
) -> Row:
    """`data` for that account but `as_of`; machines with the name of their `site`."""
    fleet = [_judged(row, models[row["miner_model_id"]], now) for row in machines if row["customer_id"] == account]
    fleet = [one for one in fleet if one["status"] != "sold" and one["approval_status"] == "approved"]
    active = [one for one in fleet if one["status"] == "active"]
    rated = [one for one in active if one["reference"] is not None]
    low = sorted((one for one in rated if one["is_low"]), key=lambda one: (one["share"], one["id"]))
    watched = [one for one in fleet if one["status"] != "maintenance" and one["is_watched"]]
    silent = [one for one in watched if one["is_silent"]]
    silent.sort(key=lambda one: (one["seen"] is None, one["seen"] or now, one["id"]))
    return {
        "has_hosting": account is not None,
        "user_access_id": account,
        "miners_count": len(fleet),
        **{f"{name}_miners": sum(one["status"] == name for one in fleet) for name in STATUSES if name != "sold"},
        "hashrate": {
            "actual": _total(rated, "hashrate"),
            "reference": _total(rated, "reference"),
            "percent": _percent(rated),
            "measured": len(rated),
            "low": len(low),
            "lowest": [_low(one) for one in low[:50]],
        },
        "by_model": sorted(
            (_model([one for one in fleet if one["model"] == name]) for name in {one["model"] for one in fleet}),
            key=lambda model: (-model["miners_count"], model["model"]),
        ),
        "temperature": _readings(active, "temperature_avg", "highest", "hottest", 1),
        "reject_rate": _readings(active, "reject_rate", "highest", "reject_rate", 2),
        "health": _readings(active, "health_score", "lowest", "health_score", 1),
        "silent": {
            "count": len(silent),
            "watched": len(watched),
            "never_seen": sum(one["seen"] is None for one in silent),
            "longest": [_silent(one) for one in silent[:50]],
        },
        "last_30_days": _last_days(fleet, days, now.date()),
    }


def _judged(row: Row, model: Row, now: datetime) -> Row:
    word = row["status"].strip(BLANKS).translate(ASCII_LOWER)
    status = MEANINGS.get(word, word)
    hashrate = number(row["actual_hashrate"])
    reference = _within(model["reference_hashrate"], lambda value: 0 < value < 1e15)
    seen = row["last_seen"]
    if not isinstance(seen, datetime) or not DECADES_AGO < seen < now + timedelta(minutes=5):
        seen = None
    temperatures = [
        _within(row[name], lambda value: 0 < value < 200) for name in ("temperature_avg", "temperature_max")
    ]
    return row | {
        "model": model["model_name"],
        "status": status if status in STATUSES else "offline",
        "hashrate": hashrate,
        "reference": reference,
        "share": None if reference is None else hashrate / reference,
        "is_low": reference is not None and hashrate < reference * Fraction(4, 5),
        "seen": seen,
        "is_watched": row["cgminer_online"] is not None or seen is not None,
        "is_silent": row["cgminer_online"] is False or (seen is not None and now - seen > timedelta(minutes=15)),
        "temperature_avg": temperatures[0],
        "hottest": max((one for one in temperatures if one is not None), default=None),
        "reject_rate": _within(row["reject_rate"], lambda value: 0 <= value <= 100),
        "health_score": _within(row["health_score"], lambda value: 0 <= value <= 100),
    }


def _within(value: float | None, is_reading: Callable[[float], bool]) -> Fraction | None:
    """The figure as a number, or None for what no machine has."""
    return Fraction(decimal(value)) if value is not None and math.isfinite(value) and is_reading(value) else None


def _total(rows: list[Row], name: str) -> Any:
    return rounded(sum((one[name] for one in rows), Fraction(0)), 2)


def _percent(rows: list[Row]) -> Any:
    if not rows:
        return None
    percent = 100 * sum(one["hashrate"] for one in rows) / sum(one["reference"] for one in rows)
    return min(rounded(percent, 1), 1000)


def _place(one: Row) -> Row:
    return {"name": one["serial_number"], "location": one["site"]} | {
        name: one[name] for name in ("id", "model", "rack_position")
    }


def _low(one: Row) -> Row:
    return _place(one) | {
        "hashrate": exact(one["hashrate"]),
        "reference": exact(one["reference"]),
        "percent": _percent([one]),
        "temperature": None if one["hottest"] is None else rounded(one["hottest"], 1),
        "reject_rate": None if one["reject_rate"] is None else rounded(one["reject_rate"], 2),
        "health": None if one["health_score"] is None else exact(one["health_score"]),
    }


def _silent(one: Row) -> Row:
    since = one["seen"] and one["seen"].strftime("%Y-%m-%dT%H:%M:%SZ")
    return _place(one) | {"status": one["status"], "since": since}


def _model(rows: list[Row]) -> Row:
    active = [one for one in rows if one["status"] == "active"]
    rated = [one for one in active if one["reference"] is not None]
    return {
        "model": rows[0]["model"],
        "miners_count": len(rows),
        "active_miners": len(active),
        "hashrate": _total(active, "hashrate"),
        "reference": None if rows[0]["reference"] is None else exact(rows[0]["reference"]),
        "percent": _percent(rated),
        "low": sum(one["is_low"] for one in active),
    }


def _readings(active: list[Row], name: str, worst: str, worst_of: str, places: int) -> Row:
    found = [one[name] for one in active if one[name] is not None]
    extremes = [one[worst_of] for one in active if one[worst_of] is not None]
    extreme = (max if worst == "highest" else min)(extremes, default=None)
    return {
        "average": rounded(sum(found, Fraction(0)) / len(found), places) if found else None,
        worst: None if extreme is None else rounded(extreme, places),
        "measured": len(found),
    }


def _last_days(fleet: list[Row], days: list[Row], today: date) -> Row:
    mine = {(one["site_id"], one["serial_number"]) for one in fleet}
    first, last = today - timedelta(days=30), today - timedelta(days=1)
    kept = [row for row in days if (row["site_id"], row["miner_id"]) in mine and first <= row["day"] <= last]
    found = [
        {"day": day.isoformat(), "miners": len(rows)} | _of_days(rows)
        for day in sorted({row["day"] for row in kept})
        if (rows := [row for row in kept if row["day"] == day])
    ]
    return {"from": first.isoformat(), "to": last.isoformat(), "days": found} | _of_days(kept)


def _of_days(rows: list[Row]) -> Row:
    shares = [share for row in rows if (share := _share(row)) is not None]
    energy = [
        kwh for row in rows if (kwh := _within(row["total_power_kwh"], lambda value: 0 <= value <= 1000)) is not None
    ]
    return {
        "uptime_percent": rounded(100 * sum(shares, Fraction(0)) / len(shares), 2) if shares else None,
        "energy_kwh": rounded(sum(energy, Fraction(0)), 1) if energy else None,
    }


def _share(row: Row) -> Fraction | None:
    """The part of the day that it ran; by the hours where the ratio is none."""
    ratio = _within(row["online_ratio"], lambda value: value >= 0)
    hours = _within(row["uptime_hours"], lambda value: value >= 0)
    if ratio is not None and ratio <= 1:
        return ratio
    return hours / 24 if hours is not None and hours <= 24 else None
