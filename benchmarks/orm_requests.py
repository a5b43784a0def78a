"""The requests as the CRM's own module answers them: rows as objects of SQLAlchemy, sums in Python."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from benchmarks.orm import Account, Customer, Miner

BTC_PRICE = 95_000
BTC_PER_TERAHASH = 4.19e-7


class Requests:
    """The requests on the database of that URL."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)

    def ask(self, answer: Callable[..., str], *parameters: int) -> Callable[[], str]:
        """What asks for that answer, in a session of its own."""

        def ask() -> str:
            with Session(self._engine) as session:
                return answer(session, *parameters)

        return ask

    def end(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def stats(session: Session, customer_id: int) -> str:
    """A customer's fleet in figures."""
    miners = _miners(session, customer_id)
    counts: Counter[str] = Counter()
    models: dict[str, dict[str, float]] = defaultdict(lambda: {"count": 0, "hashrate": 0, "power": 0})
    hashrate, power, cost = 0.0, 0, 0.0
    for miner in miners:
        counts[miner.status] += miner.quantity
        if miner.status == "sold":
            continue
        model = models[miner.model.model_name]
        model["count"] += miner.quantity
        model["hashrate"] += miner.quantity * miner.actual_hashrate
        model["power"] += miner.quantity * miner.actual_power
        hashrate += miner.quantity * miner.actual_hashrate
        power += miner.quantity * miner.actual_power
        if miner.status == "active":
            cost += miner.quantity * miner.actual_power * 0.024 * miner.electricity_cost
    btc = hashrate * BTC_PER_TERAHASH
    return json.dumps({
        "miners_count": counts.total() - counts["sold"], "total_hashrate": round(hashrate, 2), "total_power": power,
        "estimated_daily_btc": round(btc, 8), "estimated_daily_usd": round(btc * BTC_PRICE, 2),
        "electricity_cost_daily": round(cost, 2), "by_status": counts, "by_model": models,
    })  # fmt: skip


def miners(session: Session, customer_id: int) -> str:
    """A customer's machines."""
    return json.dumps([
        {
            "id": miner.id, "name": miner.custom_name or miner.model.model_name, "model": miner.model.model_name,
            "quantity": miner.quantity, "hashrate": miner.actual_hashrate,
            "total_hashrate": round(miner.quantity * miner.actual_hashrate, 2), "power": miner.actual_power,
            "total_power": miner.quantity * miner.actual_power, "status": miner.status, "location": miner.location,
            "electricity_cost": miner.electricity_cost,
            "daily_electricity_cost": round(
                miner.quantity * miner.actual_power * 0.024 * miner.electricity_cost, 2),
        }
        for miner in _miners(session, customer_id)
    ])  # fmt: skip


def status(session: Session) -> str:
    """How many customers are linked."""
    emails = {account.email.lower() for account in session.scalars(select(Account))}
    customers = session.scalars(select(Customer)).all()
    linked = sum((customer.email or "").lower() in emails for customer in customers)
    return json.dumps({"total_customers": len(customers), "linked_customers": linked})


def _miners(session: Session, customer_id: int) -> Sequence[Any]:
    customer = session.get_one(Customer, customer_id)
    email = (customer.email or "").lower()
    account = session.scalars(select(Account).where(func.lower(Account.email) == email)).first()
    if account is None:
        return []
    query = select(Miner).where(Miner.user_id == account.id).order_by(Miner.created_at.desc(), Miner.id.desc())
    return session.scalars(query).all()
