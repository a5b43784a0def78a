"""How machines do against the oracle, over rows that hold whatever the columns can."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pg8000.native import Connection

from crm_services.postgres.machines import machines_view
from tests.fleet.test_oracle import DATABASES, data, records
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.performance_oracle import performance

TIMESTAMP = 1114
STATUSES = ["online", "online", "active", " Online\r\n", "offline", "error", "maintenance", "pending", "sold", "?"]
GARBAGE = st.sampled_from([float("nan"), float("inf"), float("-inf"), -1.0, -1e308, 1e308, 5e-324])
MODELS = [("S21", 200.0), ("蚂蚁 S19", 100.0), ("M60", 0.0), ("M63", float("nan")), ("A15", 1e308), ("A16", 5e-324)]


def reading(low: float, high: float) -> st.SearchStrategy[float | None]:
    """What a collector reads of a thing that is mostly between these."""
    ordinary = st.floats(low, high).map(lambda value: round(value, 2))
    return st.one_of(ordinary, ordinary, st.floats(low, high), st.none(), st.sampled_from([0.0, low, high]), GARBAGE)


# Minutes ago: never about a limit, as the clock goes on.
ages = st.one_of(
    st.sampled_from(
        [0, 1, 14, 16, 60, -4, -6, None, "infinity", "-infinity", "1970-01-01", "0044-03-15 BC", "20000-01-01"]
    ),
    st.integers(20, 10**6),
)
machine = st.fixed_dictionaries(
    {
        "model": st.sampled_from([*MODELS[:2], *MODELS]),
        "site": st.sampled_from([0, 0, 1]),
        "actual_hashrate": st.one_of(st.sampled_from([0.0, 80.0, 79.9, 160.0, 200.0]), st.floats(0, 250), GARBAGE),
        "status": st.sampled_from(STATUSES),
        "approval_status": st.sampled_from(["approved"] * 6 + ["draft", None]),
        "rack_position": st.sampled_from([None, "R01-3", '"\\\x01']),
        "temperature_avg": reading(30, 95),
        "temperature_max": reading(40, 199),
        "reject_rate": reading(0, 3),
        "health_score": st.sampled_from([100, 100, 87, 0, -5, 101, 2**31 - 1]),
        "cgminer_online": st.sampled_from([True, True, False, None]),
        "last_seen": ages,
        "days": st.lists(
            st.fixed_dictionaries(
                {
                    "days_ago": st.sampled_from([-1, 0, 1, 2, 3, 29, 30, 31]),
                    "total_power_kwh": reading(0, 200),
                    "online_ratio": st.one_of(reading(0, 1), st.sampled_from([1.0, 1 + 2**-52, 1.01, 87.5])),
                    "uptime_hours": reading(0, 24),
                }
            ),
            max_size=4,
            unique_by=lambda day: str(day["days_ago"]),
        ),
    }
)


@settings(
    max_examples=DATABASES, deadline=None, print_blob=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(fleet=st.lists(machine, max_size=25), others=st.lists(machine, max_size=4))
def test_every_figure_is_the_oracle_s(
    client: Client, owner: Connection, fleet: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    owner.register_in_adapter(TIMESTAMP, moment)
    owner.run(machines_view("hosting_miners"))
    owner.run("truncate hosting_miners, telemetry_daily, miner_models, hosting_sites, user_access cascade")
    crm = Crm(owner)
    account, other, admin = crm.account("a@x.com"), crm.account(), crm.account(role="admin")
    customer, sites = crm.customer("a@x.com"), [crm.site("Texas DC-01"), crm.site("埃塞俄比亚")]
    for name, reference in MODELS:
        crm.db.run(
            "update miner_models set reference_hashrate = :reference where id = :id",
            id=crm.model(name), reference=reference,
        )  # fmt: skip
    now = datetime.now(UTC).replace(tzinfo=None)
    for number, one in enumerate([*fleet, *others]):
        fill(crm, account if number < len(fleet) else other, sites, one, now)

    found = data(client.get(f"/crm/api/customer/{customer}/hosting-performance", admin))

    del found["as_of"]
    machines = records(
        owner, "select m.*, s.name as site from hosting_miners m join hosting_sites s on s.id = m.site_id"
    )
    days = records(owner, "select * from telemetry_daily")
    models = {row["id"]: row for row in records(owner, "select * from miner_models")}
    assert found == performance(account, machines, days, models, now)


def moment(written: str) -> datetime | str:
    """A timestamp of PostgreSQL's, as it is written where Python has none such."""
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return written


def fill(crm: Crm, account: int, sites: list[int], given: dict[str, Any], now: datetime) -> None:
    """One machine's rows."""
    seen = given["last_seen"]
    columns = given | {"last_seen": now - timedelta(minutes=seen) if isinstance(seen, int) else seen}
    days, (model, _), site = columns.pop("days"), columns.pop("model"), sites[columns.pop("site")]
    machine = crm.machine(account, site, model, **columns)
    for day in days:
        crm.machine_day(machine, **day)
