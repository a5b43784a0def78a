"""What needs attention over a season of outages, against a reading of the rules that shares nothing with them.

ATTENTION_DAYS=365 makes it a year.
"""

import os
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pg8000.native import Connection

from crm_services.postgres.database import database
from crm_services.sync import batch
from tests.support.crm import Crm
from tests.support.days import days_pass

pytestmark = pytest.mark.usefixtures("environment")

DAYS = int(os.environ.get("ATTENTION_DAYS", "60"))
Listed = dict[tuple[int, str], tuple[int, Decimal | None]]  # customer and kind: on which day, before


@dataclass
class Fleet:
    """A customer's fleet, what is known of it on the last day that was synced, and what of it is on the list."""

    customer: int
    account: int
    machines: int
    offline: int = 0
    is_linked: bool = True
    is_usable: bool = True
    known: tuple[int, int, bool] | None = None  # running, offline, usable; None: no fleet
    was_linked: bool = False
    listed: Listed = field(default_factory=dict)

    def lives(self, chance: random.Random) -> None:
        """A day of outages, repairs, sales and slips, many of them near a threshold."""
        happens = chance.random()
        if happens < 0.25:
            self.offline = self.machines * chance.choice([0, 0, 5, 14, 15, 16, 19, 20, 21, 22, 40, 100]) // 100
        elif happens < 0.35:
            self.machines = max(1, self.machines * chance.choice([79, 80, 81, 85, 86, 50, 100, 125]) // 100)
            self.offline = min(self.offline, self.machines)
        elif happens < 0.38:
            self.is_linked = not self.is_linked
        elif happens < 0.42:
            self.is_usable = not self.is_usable

    def is_synced(self, day: int) -> None:
        """What the rules say on this day."""
        running, share = self.machines - self.offline, Decimal(100 * self.offline) / self.machines
        for (customer, kind), (since, before) in list(self.listed.items()):
            is_well = {
                "link_lost": self.is_linked,
                "hashrate_down": not self.is_linked or running >= (before or 0) * Decimal("0.85"),
                "offline_share": not self.is_linked or share <= 15,
                "unusable_figure": not self.is_linked or self.is_usable,
            }[kind]
            if is_well or day - since >= 30:
                del self.listed[customer, kind]
        if self.is_linked and self.known:
            was_running, was_offline, was_usable = self.known
            was_machines = was_running + was_offline
            was_share = Decimal(100 * was_offline) / was_machines if was_machines else None
            if was_running and running <= was_running * Decimal("0.8"):
                self.note("hashrate_down", day, Decimal(was_running))
            if was_share is not None and share > 20 >= was_share:
                self.note("offline_share", day, round(was_share, 2))
            if was_usable and not self.is_usable:
                self.note("unusable_figure", day, None)
        if self.was_linked and not self.is_linked:
            self.note("link_lost", day, None)
        self.was_linked = self.is_linked
        self.known = (running, self.offline, self.is_usable) if self.is_linked else None

    def note(self, kind: str, day: int, before: Decimal | None) -> None:
        self.listed.setdefault((self.customer, kind), (day, before))

    def write(self, owner: Connection) -> None:
        owner.run(
            "update user_miners set quantity = case status when 'offline' then :off::integer else :on::integer end,"
            " electricity_cost = case when :usable then 0.05 else 'NaN'::float8 end where user_id = :account",
            off=self.offline, on=self.machines - self.offline, usable=self.is_usable, account=self.account,
        )  # fmt: skip
        owner.run(
            "update crm_customers set email = case when :linked then :email end where id = :id",
            linked=self.is_linked, email=f"fleet{self.customer}@example.com", id=self.customer,
        )  # fmt: skip


def test_exactly_the_days_that_should_be_are_on_the_list(crm: Crm, owner: Connection) -> None:
    chance = random.Random(365)  # noqa: S311
    fleets = []
    for number, machines in enumerate((100, 40, 1000, 7, 250), 1):
        account = crm.account(f"fleet{number}@example.com")
        for status in ("online", "offline"):
            crm.miners(account, machines if status == "online" else 0, status=status, actual_hashrate=1.0)
        fleets.append(Fleet(crm.customer(f"fleet{number}@example.com"), account, machines))
    assert [fleet.customer for fleet in fleets] == [1, 2, 3, 4, 5]
    today, kinds = datetime.now(UTC).date(), set[str]()

    for day in range(DAYS):
        days_pass(owner)
        for fleet in fleets:
            fleet.lives(chance)
            fleet.write(owner)
        if day and chance.random() < 0.1:
            continue  # nobody synced that day
        for _ in range(1 + (chance.random() < 0.1)):
            batch.run(database, None, "console")
        expected: Listed = {}
        for fleet in fleets:
            fleet.is_synced(day)
            expected |= fleet.listed
        found = {
            (customer, kind): (day - (today - since).days, before)
            for customer, kind, since, before in owner.run(
                "select customer_id, kind, since, before from crm_hosting.attention"
            )
        }
        assert found == expected, day
        kinds |= {kind for _, kind in found}

    assert kinds == {"hashrate_down", "offline_share", "link_lost", "unusable_figure"}
    assert timedelta(days=DAYS) > timedelta(days=30), "or nothing stays until it is usual"
