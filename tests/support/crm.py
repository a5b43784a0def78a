"""A CRM to fill: one line a row, with ordinary values where a test says nothing."""

from datetime import datetime
from itertools import count
from typing import Any

from pg8000.native import Connection

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
        return self._insert(
            "user_access", name=f"account {number}", email=email or f"account{number}@example.com", role=role, **columns
        )

    def customer(self, email: str | None = None, owner: int | None = None, **columns: Any) -> int:
        """A customer, of that owner; returns its id."""
        columns = {"name": f"customer {next(self._numbers)}", "email": email, "created_by_id": owner} | columns
        return self._insert("crm_customers", **columns)

    def miners(self, account: int, quantity: int = 1, model: str = "Antminer S21", **columns: Any) -> int:
        """A batch of equal machines: 100 TH/s and 3,000 W each at $0.05 unless said otherwise; returns its id."""
        values = {"actual_hashrate": 100.0, "actual_power": 3000, "electricity_cost": 0.05} | columns
        return self._insert(
            "user_miners", user_id=account, miner_model_id=self.model(model), quantity=quantity, **values
        )

    def model(self, name: str) -> int:
        """The id of the model of that name."""
        if name not in self._models:
            self._models[name] = self._insert(
                "miner_models", model_name=name, manufacturer="Bitmain", reference_hashrate=100.0, reference_power=3000
            )
        return self._models[name]

    def snapshot(self, price: float = 100_000.0, **columns: Any) -> int:
        """A market snapshot: 1 TH/s earns 0.000001 BTC, $0.10, a day."""
        values = {"network_difficulty": DIFFICULTY, "network_hashrate": 1000.0, "block_reward": REWARD} | columns
        return self._insert("network_snapshots", btc_price=price, **values)

    def linked_customer(self, owner: int | None = None, **miners: Any) -> int:
        """A customer with an account and a batch of machines; returns the customer's id."""
        email = f"linked{next(self._numbers)}@example.com"
        self.miners(self.account(email, created_by_id=owner), **miners)
        return self.customer(email, owner)

    def row(self, customer_id: int) -> dict[str, Any]:
        """The customer's record as it stands."""
        [values] = self.db.run("select * from crm_customers where id = :id", id=customer_id)
        return dict(zip((column["name"] for column in self.db.columns or []), values, strict=True))

    def _insert(self, table: str, **columns: Any) -> int:
        names = ", ".join(columns)
        values = ", ".join(f":{name}" for name in columns)
        row_id: int = self.db.run(f"insert into {table} ({names}) values ({values}) returning id", **columns)[0][0]
        return row_id


def utc(text: str) -> datetime:
    """A naive UTC timestamp, as the CRM's columns hold it."""
    return datetime.fromisoformat(text)
