"""A CRM to fill: one line a row, with ordinary values where a test says nothing."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pg8000.native import Connection

from local import crm_rows

# A difficulty at which 1 TH/s earns a handy 0.000001 BTC a day at a reward of 3.125 BTC.
REWARD = 3.125
DIFFICULTY = 1e12 * 86_400 / 2**32 * REWARD / 1e-6


class Crm:
    """Rows for the CRM's tables, written as the CRM's own role."""

    def __init__(self, owner: Connection) -> None:
        self.db = owner
        self._numbers = count(1)
        self._models: dict[str, int] = {}

    def account(self, email: str | None = None, role: str = "client", **columns: Any) -> int:
        """An account that logs in or owns miners; returns its id."""
        number = next(self._numbers)
        row = crm_rows.account(f"account {number}", email or f"account{number}@example.com", role)
        return self._insert("user_access", row | columns)

    def customer(self, email: str | None = None, owner: int | None = None, **columns: Any) -> int:
        """A customer, of that owner; returns its id."""
        row = crm_rows.customer(f"customer {next(self._numbers)}", email, owner)
        return self._insert("crm_customers", row | columns)

    def miners(self, account: int, quantity: int = 1, model: str = "Antminer S21", **columns: Any) -> int:
        """A batch of equal machines: 100 TH/s and 3,000 W each at $0.05 unless said otherwise; returns its id."""
        values = {"actual_hashrate": 100.0, "actual_power": 3000, "electricity_cost": 0.05} | columns
        return self._insert("user_miners", crm_rows.batch(account, self.model(model), quantity=quantity, **values))

    def machine(self, account: int, site: int, model: str = "Antminer S21", **columns: Any) -> int:
        """A machine of the hosting module, approved: 100 TH/s and 3,000 W unless said otherwise; returns its id."""
        serial_number = f"SN{next(self._numbers):06}"
        values = {"actual_hashrate": 100.0, "actual_power": 3000.0} | columns
        return self._insert(
            "hosting_miners", crm_rows.machine(account, site, self.model(model), serial_number) | values
        )

    def machine_day(self, machine: int, days_ago: int, **columns: Any) -> None:
        """What the collector kept of that machine's day, so many days ago."""
        [[site, serial_number]] = self.db.run(
            "select site_id, serial_number from hosting_miners where id = :id", id=machine
        )
        day = datetime.now(UTC).date() - timedelta(days=days_ago)
        self._insert("telemetry_daily", crm_rows.machine_day(site, serial_number, day) | columns)

    def site(self, name: str = "Texas DC-01", electricity_rate: float = 0.05, **columns: Any) -> int:
        """A site of the hosting module; returns its id."""
        return self._insert("hosting_sites", crm_rows.site(name, electricity_rate, **columns))

    def model(self, name: str, hashrate: float = 100.0, power: int = 3000) -> int:
        """The id of the model of that name, with what its data sheet says."""
        if name not in self._models:
            self._models[name] = self._insert("miner_models", crm_rows.model(name, "Bitmain", hashrate, power))
        return self._models[name]

    def snapshot(
        self, price: float = 100_000.0, difficulty: float = DIFFICULTY, at: datetime | None = None, **columns: Any
    ) -> int:
        """A market snapshot: 1 TH/s earns 0.000001 BTC, $0.10, a day; of that moment in UTC (now)."""
        return self._insert("network_snapshots", crm_rows.snapshot(price, difficulty, at, REWARD) | columns)

    def linked_customer(self, owner: int | None = None, **miners: Any) -> int:
        """A customer with an account and a batch of machines; returns the customer's id."""
        email = f"linked{next(self._numbers)}@example.com"
        self.miners(self.account(email, created_by_id=owner), **miners)
        return self.customer(email, owner)

    def row(self, customer_id: int) -> dict[str, Any]:
        """The customer's record as it stands."""
        [values] = self.db.run("select * from crm_customers where id = :id", id=customer_id)
        return dict(zip((column["name"] for column in self.db.columns or []), values, strict=True))

    def _insert(self, table: str, row: dict[str, Any]) -> int:
        return crm_rows.insert(self.db, table, row)


def utc(text: str) -> datetime:
    """A naive UTC timestamp, as the CRM's columns hold it."""
    return datetime.fromisoformat(text)
