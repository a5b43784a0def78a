"""The contract's figures a second time: plain Python over rows, written from the documents, sharing no code.

PostgreSQL is asked for the e-mail key alone. A double precision counts as the decimal of 15 significant digits that
PostgreSQL makes of it; BTC per TH/s and day has 40 places; everything else is exact until it is rounded.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

# White space as Unicode has it, and what has no width.
BLANKS = "".join(c for c in map(chr, range(0x10000)) if c.isspace() and c not in "\x1c\x1d\x1e\x1f") + (
    "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)
ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
STATUSES = ("active", "offline", "maintenance", "sold")
# What the CRM's other words mean.
MEANINGS = {"online": "active", "manual": "active", "error": "offline", "disabled": "offline", "pending": "offline"}
CRM_CLOCK = ZoneInfo("America/New_York")
LARGEST_INTEGER = 2**31 - 1
EXACT = Context(prec=2000)  # more digits than any figure has


@dataclass(frozen=True)
class World:
    """What the tables hold, a dict per row; accounts and customers with their `key`."""

    accounts: list[dict[str, Any]]
    customers: list[dict[str, Any]]
    models: dict[int, dict[str, Any]]
    miners: list[dict[str, Any]]
    hosted: list[dict[str, Any]]
    sites: list[dict[str, Any]]
    snapshots: list[dict[str, Any]]  # the CRM's, and the bundle's own
    own_snapshots: list[dict[str, Any]]
    now: datetime
    is_any: bool
    is_hosted: bool

    def candidates(self, customer: dict[str, Any]) -> list[dict[str, Any]]:
        """The accounts that the customer may be linked to: the one that the CRM names, or those of the same e-mail."""
        named = [account for account in self.accounts if account["id"] == customer["user_account_id"]]
        if named or not customer["key"]:
            return named
        owner = customer["created_by_id"]
        return [
            account
            for account in self.accounts
            if account["key"] == customer["key"]
            and (self.is_any or owner is None or owner in (account["id"], account["created_by_id"]))
        ]

    def account_of(self, customer: dict[str, Any]) -> int | None:
        """The active candidate with the lowest id, or else any with the lowest id."""
        ids = [account["id"] for account in self.candidates(customer)]
        active = [account["id"] for account in self.candidates(customer) if account["is_active"]]
        return min(active or ids, default=None)

    def fleet(self, customer: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows of the customer's account, each with what it counts for, newest first."""
        account = self.account_of(customer)
        rows = [self._counted(row) for row in self.machines() if row["user_id"] == account]
        return sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)

    def machines(self) -> list[dict[str, Any]]:
        """The rows of the fleets: those of user_miners, or the hosting module's as if they were there."""
        if not self.is_hosted:
            return self.miners
        sites = {site["id"]: site for site in self.sites}
        return [
            row
            | {
                "user_id": row["customer_id"],
                "custom_name": row["serial_number"],
                "quantity": 1,
                "actual_power": whole_watts(row["actual_power"]),
                "electricity_cost": sites[row["site_id"]]["electricity_rate"],
                "location": place(sites[row["site_id"]]),
            }
            for row in self.hosted
            if row["approval_status"] == "approved"
        ]

    def _counted(self, row: dict[str, Any]) -> dict[str, Any]:
        word = row["status"].strip(BLANKS).translate(ASCII_LOWER)
        status = MEANINGS.get(word, word)
        model = self.models[row["miner_model_id"]]
        is_named = bool((row["custom_name"] or "").strip(BLANKS))
        return {
            "id": row["id"],
            "created_at": row["created_at"],
            "name": row["custom_name"] if is_named else model["model_name"],
            "model": model["model_name"],
            "location": row["location"],
            "status": status if status in STATUSES else "offline",
            "quantity": max(row["quantity"], 0),
            "power": max(row["actual_power"], 0),
            "hashrate": number(row["actual_hashrate"]),
            "price": number(row["electricity_cost"]),
            "is_unusable": row["quantity"] < 0
            or row["actual_power"] < 0
            or not is_usable(row["actual_hashrate"])
            or not is_usable(row["electricity_cost"]),
            "is_unknown": status not in STATUSES,
            "is_unlikely": is_unlikely(row, model),
        }

    def market(self) -> dict[str, Any] | None:
        """The newest usable snapshot, its time in UTC and its difficulty as it is."""
        crm = [
            row
            | {
                "is_own": False,
                "recorded_at": row["recorded_at"].replace(tzinfo=CRM_CLOCK).astimezone(UTC),
                "network_difficulty": number(row["network_difficulty"])
                * (10**12 if row["network_difficulty"] < 10**6 else 1),
            }
            for row in self.snapshots
        ]
        own = [
            row | {"is_own": True, "network_difficulty": number(row["network_difficulty"])}
            for row in self.own_snapshots
        ]
        usable = [
            row
            for row in crm + own
            if row["is_valid"] is not False
            and row["recorded_at"] <= self.now + timedelta(minutes=5)
            and row["network_difficulty"] > 0
            and all(math.isfinite(row[name]) and row[name] > 0 for name in ("btc_price", "block_reward"))
        ]
        return max(usable, key=lambda row: (row["recorded_at"], row["is_own"], row["id"]), default=None)

    def stats(self, customer: dict[str, Any]) -> dict[str, Any]:
        """`data` of hosting-stats."""
        fleet = self.fleet(customer)
        kept = [row for row in fleet if row["status"] != "sold"]
        running = [row for row in fleet if row["status"] == "active"]
        counts = {name: sum(row["quantity"] for row in fleet if row["status"] == name) for name in STATUSES}
        hashrate, power = total(kept, "hashrate"), total(kept, "power")
        btc, usd, cost = self._earned(running)
        market = self.market()
        return {
            "has_hosting": self.account_of(customer) is not None,
            "user_access_id": self.account_of(customer),
            "miners_count": counts["active"] + counts["offline"] + counts["maintenance"],
            "total_hashrate": rounded(hashrate, 2),
            "total_power": power,
            "total_power_mw": rounded(Fraction(power, 1_000_000), 3),
            "active_power": total(running, "power"),
            "active_miners": counts["active"],
            "offline_miners": counts["offline"],
            "maintenance_miners": counts["maintenance"],
            "estimated_daily_btc": btc,
            "estimated_daily_usd": usd,
            "avg_efficiency": rounded(Fraction(power) / hashrate, 2) if hashrate else 0,
            "by_model": {
                model: {"count": count, "hashrate": rounded(total(rows, "hashrate"), 2), "power": total(rows, "power")}
                for model, count, rows in by_size(kept)
            },
            "by_location": {
                location: {"count": count, "hashrate": exact(hashrate), "power": power}
                for location, count, hashrate, power in by_location(kept)
            },
            "by_status": counts,
            "electricity_cost_daily": cost,
            "net_profit_daily": EXACT.subtract(usd, cost) if market else 0,
            "btc_price": decimal(market["btc_price"]) if market else None,
            "network_difficulty": exact(market["network_difficulty"]) if market else None,
            "market_as_of": market["recorded_at"].strftime("%Y-%m-%dT%H:%M:%SZ") if market else None,
        }

    def _earned(self, running: list[dict[str, Any]]) -> tuple[Decimal, Decimal, Decimal]:
        """BTC, USD and the cost of electricity in USD, a day."""
        market = self.market()
        watts = sum((row["quantity"] * row["power"] * row["price"] for row in running), Fraction(0))
        cost = rounded(watts / 1000 * 24, 2)
        if market is None:
            return rounded(Fraction(0), 8), rounded(Fraction(0), 2), cost
        btc = total(running, "hashrate") * btc_per_terahash_day(market)
        return rounded(btc, 8), rounded(btc * number(market["btc_price"]), 2), cost

    def miners_list(self, customer: dict[str, Any], status: str | None = None) -> list[dict[str, Any]]:
        """`data` of hosting-miners."""
        return [
            {
                "id": row["id"],
                "name": row["name"],
                "model": row["model"],
                "quantity": row["quantity"],
                "hashrate": exact(row["hashrate"]),
                "total_hashrate": rounded(row["quantity"] * row["hashrate"], 2),
                "power": row["power"],
                "total_power": row["quantity"] * row["power"],
                "status": row["status"],
                "location": row["location"],
                "electricity_cost": exact(row["price"]),
                "daily_electricity_cost": rounded(row["quantity"] * row["power"] * row["price"] / 1000 * 24, 2),
            }
            for row in self.fleet(customer)
            if status in (None, row["status"])
        ]

    def record(self, customer: dict[str, Any]) -> dict[str, Any] | None:
        """What a sync writes into the customer's record; None where there is nothing to write."""
        if self.account_of(customer) is None:
            return None
        if not self.fleet(customer) and customer["hosting_synced_at"] is None:
            return None
        stats = self.stats(customer)
        return {
            "miners_count": stats["miners_count"],
            "mining_capacity": float(stats["total_power_mw"]),
            "primary_miner_model": next(iter(stats["by_model"]), None),
        } | {
            # Without a market nothing is known of what runs, and so the record keeps what it says.
            f"hosting_{name}": stats[name]
            if self.market() or not stats["miners_count"]
            else customer[f"hosting_{name}"]
            for name in ("estimated_daily_btc", "estimated_daily_usd", "net_profit_daily")
        }

    def findings(self, customer: dict[str, Any]) -> set[str]:
        """What the batch finds wrong with the customer's data."""
        if self.account_of(customer) is None:
            return set()
        fleet = self.fleet(customer)
        found = {
            "ambiguous_email": len(self.candidates(customer)) > 1,
            "unusable_figure": any(row["is_unusable"] for row in fleet),
            "unknown_status": any(row["is_unknown"] for row in fleet),
            "unlikely_figure": any(row["is_unlikely"] for row in fleet),
        }
        return {kind for kind, holds in found.items() if holds}

    def shared(self, customers: list[dict[str, Any]]) -> set[tuple[int, str]]:
        """Those whose account is another one's of them too: of the same owner, or of another one."""
        links = [(one["id"], account, one["created_by_id"]) for one in customers if (account := self.account_of(one))]
        return {
            (id_, "shared_account" if owner == its_owner else "shared_across_owners")
            for id_, account, owner in links
            for other, its_account, its_owner in links
            if id_ != other and account == its_account
        }

    def link_counts(self, customers: list[dict[str, Any]]) -> dict[str, Any]:
        """The counts of sync-status."""
        linked = sum(self.account_of(customer) is not None for customer in customers)
        return {
            "total_customers": len(customers),
            "linked_customers": linked,
            "unlinked_customers": len(customers) - linked,
            "link_rate": rounded(Fraction(100 * linked, len(customers)), 2) if customers else 0,
        }

    def health(self, customers: list[dict[str, Any]], errors: int, findings: int) -> str:
        """`sync_health` right after a batch over these customers."""
        counts = self.link_counts(customers)
        market = self.market()
        if (customers and not counts["linked_customers"]) or (market and is_implausible(market)):
            return "critical"
        is_stale = market is None or self.now - market["recorded_at"] > timedelta(hours=6)
        is_low = 100 * counts["linked_customers"] < 20 * len(customers)
        return "warning" if is_low or errors or findings or is_stale else "healthy"


def btc_per_terahash_day(market: dict[str, Any]) -> Fraction:
    """What 1 TH/s earns a day."""
    hashes = 10**12 * 86_400 * number(market["block_reward"])
    return Fraction(rounded(hashes / (market["network_difficulty"] * 2**32), 40))


def is_implausible(market: dict[str, Any]) -> bool:
    """Whether 1 TH/s is said to earn more than anybody ever believed."""
    btc = btc_per_terahash_day(market)
    return btc > Fraction(1, 1000) or btc * number(market["btc_price"]) > 100


def fits(record: dict[str, Any]) -> bool:
    """Whether the columns of the customer's record can hold it."""
    return bool(
        record["miners_count"] <= LARGEST_INTEGER
        and abs(record["hosting_estimated_daily_btc"] or 0) < 10**10
        and abs(record["hosting_estimated_daily_usd"] or 0) < 10**16
        and abs(record["hosting_net_profit_daily"] or 0) < 10**16
    )


def by_size(rows: list[dict[str, Any]]) -> list[tuple[str, int, list[dict[str, Any]]]]:
    """Model, machines, rows: most machines first, then most hashrate, then the name by code point."""
    models: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        models[row["model"]].append(row)
    sized = [(name, sum(row["quantity"] for row in found), found) for name, found in models.items()]
    return sorted((one for one in sized if one[1]), key=lambda one: (-one[1], -total(one[2], "hashrate"), one[0]))


def by_location(rows: list[dict[str, Any]]) -> list[tuple[str, int, Fraction, int]]:
    """Location, machines, TH/s, W: most hashrate first, then what is shown by code point; twenty, and the rest."""
    places: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        places[(row["location"] or "").strip(BLANKS)].append(row)
    found = [
        (shown_as(name), count, total(there, "hashrate"), total(there, "power"))
        for name, there in places.items()
        if (count := sum(row["quantity"] for row in there))
    ]
    found.sort(key=lambda one: (-one[2], one[0]))
    shown, rest = found[:20], found[20:]
    if rest:
        shown.append(("__other__", sum(one[1] for one in rest), sum((one[2] for one in rest), Fraction(0)),
                      sum(one[3] for one in rest)))  # fmt: skip
    return shown


def shown_as(name: str) -> str:
    """What a location is shown as: none that the CRM has is one of ours."""
    if not name:
        return "__none__"
    return f"_{name}" if name.startswith("__") else name


def total(rows: list[dict[str, Any]], name: str) -> Any:
    """The sum over all machines of the rows."""
    return sum((row["quantity"] * row[name] for row in rows), Fraction(0) if name == "hashrate" else 0)


def is_usable(value: float) -> bool:
    """Whether a figure is a finite number >= 0."""
    return math.isfinite(value) and value >= 0


def place(site: dict[str, Any]) -> str:
    """What a site is called, or else where it is."""
    name: str = site["name"]
    return name if name.strip(BLANKS) else site["location"]


def is_unlikely(row: dict[str, Any], model: dict[str, Any]) -> bool:
    """Whether a figure that counts is one that no such machine has, or a kWh dearer than a dollar."""
    hashrate, power, price = row["actual_hashrate"], row["actual_power"], row["electricity_cost"]
    terahashes = hashrate if is_usable(hashrate) else 0
    usual, watts = model["reference_hashrate"], model["reference_power"]
    is_known = 0 < usual < 1e15
    if terahashes > (3 * usual if is_known else 1500) or (is_known and 0 < terahashes * 100 < usual):
        return True
    if power > (3 * watts if watts > 0 else 20_000) or (terahashes > 0 and 0 < power * 3 < watts):
        return True
    return is_usable(price) and price > 1


def whole_watts(value: float) -> int:
    """The nearest integer, half away from zero; -1 for what is not usable."""
    return math.floor(value + 0.5) if is_usable(value) and value < LARGEST_INTEGER else -1


def decimal(value: float) -> Decimal:
    """A double precision as PostgreSQL's numeric has it."""
    return Decimal(f"{value:.15g}")


def number(value: float) -> Fraction:
    """What a figure counts for."""
    return Fraction(decimal(value)) if is_usable(value) else Fraction(0)


def exact(value: Fraction) -> Decimal:
    """A decimal fraction as a decimal."""
    return EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


def rounded(value: Fraction | float, places: int) -> Decimal:
    """To so many decimals, half away from zero."""
    scaled = Fraction(value) * 10**places
    nearest = math.floor(abs(scaled) + Fraction(1, 2)) * (1 if scaled >= 0 else -1)
    return Decimal(nearest).scaleb(-places, EXACT)
