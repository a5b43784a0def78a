"""The way the CRM's own module does it: SQLAlchemy, customer by customer, a commit for each.

One session holds every customer; a look-up by lower-cased e-mail for each, the account's machines as objects, each with
its model loaded when it is asked for, sums in Python.
"""

import json
import sys
import time
from collections import Counter
from datetime import datetime

from sqlalchemy import ForeignKey, create_engine, func
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    """The CRM's tables, as far as the sync meets them."""


class Account(Base):
    """An account that owns miners."""

    __tablename__ = "user_access"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]


class Model(Base):
    """A miner model."""

    __tablename__ = "miner_models"
    id: Mapped[int] = mapped_column(primary_key=True)
    model_name: Mapped[str]


class Miner(Base):
    """A batch of equal machines."""

    __tablename__ = "user_miners"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_access.id"))
    miner_model_id: Mapped[int] = mapped_column(ForeignKey("miner_models.id"))
    custom_name: Mapped[str | None]
    quantity: Mapped[int]
    actual_hashrate: Mapped[float]
    actual_power: Mapped[int]
    electricity_cost: Mapped[float]
    status: Mapped[str]
    location: Mapped[str | None]
    created_at: Mapped[datetime]
    model: Mapped[Model] = relationship(lazy="select")


class Customer(Base):
    """A customer's record."""

    __tablename__ = "crm_customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    miners_count: Mapped[int]
    mining_capacity: Mapped[float | None]
    primary_miner_model: Mapped[str | None]


def run(url: str, limit: float) -> tuple[int, float]:
    """Sync customers with an e-mail until the time is up: how many, in how many seconds."""
    started = time.monotonic()
    engine = create_engine(url)
    done = 0
    with Session(engine) as session:
        for customer in session.query(Customer).filter(Customer.email.isnot(None)).all():
            _sync(session, customer)
            done += 1
            if time.monotonic() - started > limit:
                break
    engine.dispose()
    return done, time.monotonic() - started


def _sync(session: Session, customer: Customer) -> None:
    email = (customer.email or "").lower()
    account = session.query(Account).filter(func.lower(Account.email) == email).first()
    miners = session.query(Miner).filter(Miner.user_id == account.id).all() if account else []
    if not miners:
        return
    models = Counter[str]()
    for miner in miners:
        models[miner.model.model_name] += miner.quantity
    customer.miners_count = sum(miner.quantity for miner in miners)
    customer.mining_capacity = round(sum(miner.quantity * miner.actual_power for miner in miners) / 1_000_000, 3)
    customer.primary_miner_model = models.most_common(1)[0][0]
    session.commit()


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], float(sys.argv[2]))))
