"""GET /crm/api/sync-status: each rule of README's table, with its figure, and nothing that is another tenant's."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pg8000.native import Connection

from crm_services.base.settings import Thresholds, settings
from crm_services.health.judgement import Figures, judge
from crm_services.market.newest import Market
from tests.support.client import Client, data
from tests.support.cloudformation import Stack
from tests.support.crm import Crm

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MARKET = Market(NOW, btc_per_terahash=Decimal("4.3e-7"), usd_per_terahash=Decimal("0.04"))
WELL = Figures(now=NOW, total=100, linked=30, last_sync=NOW - timedelta(hours=1), operations=30, market=MARKET)
PATH = "/crm/api/sync-status"


def judged(**figures: object) -> tuple[str, list[str]]:
    health, issues = judge(Figures(**(vars(WELL) | figures)), Thresholds(), "en")
    return health, [*issues.values()]


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


RULES = [
    ({}, "healthy", []),
    ({"linked": 12}, "warning", ["Link rate 12.0 % is below 20 %"]),
    ({"linked": 20}, "healthy", []),
    ({"linked": 0}, "critical", ["Link rate 0.0 % is below 20 %"]),
    ({"linked": 0, "total": 0}, "healthy", []),
    ({"failed": 1}, "warning", ["Customers that failed in the last sync: 1"]),
    (
        {"failed": 3, "operations": 50},
        "warning",
        ["Sync error rate 6.0 % is above 5 %", "Customers that failed in the last sync: 3"],
    ),
    ({"last_sync": None}, "warning", ["No synchronisation has completed yet"]),
    ({"last_sync": hours_ago(24)}, "healthy", []),
    ({"last_sync": hours_ago(30)}, "warning", ["The last sync was 30 hours ago, more than 24"]),
    ({"last_sync": hours_ago(49)}, "critical", ["The last sync was 49 hours ago, more than 24"]),
    ({"market": None}, "warning", ["There is no usable market data"]),
    ({"market": MARKET._replace(as_of=hours_ago(6))}, "healthy", []),
    ({"market": MARKET._replace(as_of=hours_ago(9))}, "warning", ["Market data are 9 hours old, more than 6"]),
    ({"market": MARKET._replace(usd_per_terahash=Decimal(100), btc_per_terahash=Decimal("0.001"))}, "healthy", []),
    (
        {"market": MARKET._replace(usd_per_terahash=Decimal("41176.4"), btc_per_terahash=Decimal("433427.1"))},
        "critical",
        [
            "Market data cannot be right: 1 TH/s would earn 41176.40 $ a day, more than 100",
            "Market data cannot be right: 1 TH/s would earn 433427.1000 BTC a day, more than 0.001",
        ],
    ),
    (
        {"market": MARKET._replace(usd_per_terahash=Decimal("100.001"))},
        "critical",
        ["Market data cannot be right: 1 TH/s would earn 100.001 $ a day, more than 100"],
    ),
    (
        {"findings": {"ambiguous_email": 2, "unknown_status": 1}},
        "warning",
        ["Customers whose e-mail matches several accounts: 2", "Customers that have miners of unknown status: 1"],
    ),
]


@pytest.mark.parametrize(("figures", "health", "issues"), RULES)
def test_every_rule_names_its_cause_and_its_figure(figures: dict[str, object], health: str, issues: list[str]) -> None:
    assert judged(**figures) == (health, issues)


@pytest.mark.parametrize(
    ("figures", "issue"),
    [
        ({"linked": 1996, "total": 10_000}, "Link rate 19.96 % is below 20 %"),
        ({"linked": 199_999, "total": 1_000_000}, "Link rate 19.9999 % is below 20 %"),
        ({"failed": 501, "operations": 10_000}, "Sync error rate 5.01 % is above 5 %"),
        ({"last_sync": hours_ago(24.2)}, "The last sync was 24.2 hours ago, more than 24"),
        ({"market": MARKET._replace(as_of=hours_ago(6.01))}, "Market data are 6.01 hours old, more than 6"),
    ],
)
def test_a_figure_never_reads_like_the_limit_that_it_misses(figures: dict[str, object], issue: str) -> None:
    assert issue in judged(**figures)[1]


def test_a_limit_with_decimals_is_told_apart_too() -> None:
    thresholds = Thresholds(link_rate_percent=Decimal("19.97"))
    _, issues = judge(Figures(**(vars(WELL) | {"total": 10_000, "linked": 1996})), thresholds, "en")
    assert issues == {"link_rate_low": "Link rate 19.96 % is below 19.97 %"}


def test_the_defaults_are_those_of_the_template_and_the_environment_sets_others(
    environment: pytest.MonkeyPatch,
) -> None:
    for name, value in Stack().functions["SyncStatusFunction"].items():
        if name in {"LINK_RATE_PERCENT", "SYNC_ERROR_PERCENT", "SYNC_AGE_HOURS"}:
            environment.setenv(name, value)
    assert settings().thresholds == Thresholds()

    settings.cache_clear()
    chosen = Stack(LinkRatePercent="12.5", SyncErrorPercent="1", SyncAgeHours="36").functions["SyncStatusFunction"]
    for name in ("LINK_RATE_PERCENT", "SYNC_ERROR_PERCENT", "SYNC_AGE_HOURS"):
        environment.setenv(name, chosen[name])
    assert settings().thresholds == Thresholds(Decimal("12.5"), Decimal(1), timedelta(hours=36))


def test_a_healthy_scope_has_no_issues(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    crm.snapshot()
    crm.linked_customer()
    client.post("/crm/api/sync-all-hosting", admin)

    status = data(client.get(PATH, admin))

    assert (status["sync_health"], status["issues"]) == ("healthy", [])


def test_everything_that_is_wrong_is_named_in_the_callers_language(client: Client, crm: Crm, owner: Connection) -> None:
    admin = crm.account(role="admin")
    crm.snapshot(at=datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=8, minutes=2))
    owner.run("alter table crm_customers add constraint few check (miners_count < 100)")
    crm.linked_customer(quantity=200)
    crm.linked_customer(status="retired")
    crm.linked_customer(actual_hashrate=float("nan"))
    for email in ("twin@example.com", "TWIN@example.com"):
        crm.miners(crm.account(email))
    crm.customer("twin@example.com")
    for _ in range(20):
        crm.customer()
    client.post("/crm/api/sync-all-hosting", admin)
    owner.run("update crm_hosting.runs set ended_at = ended_at - interval '25.5 hours'")

    english = data(client.get(PATH, admin, accept_language="en"))
    chinese = data(client.get(PATH, admin))

    assert english["sync_health"] == chinese["sync_health"] == "warning"
    assert english["issues"] == [
        "Link rate 16.7 % is below 20 %",
        "Sync error rate 25.0 % is above 5 %",
        "Customers that failed in the last sync: 1",
        "The last sync was 26 hours ago, more than 24",
        "Market data are 8 hours old, more than 6",
        "Customers whose e-mail matches several accounts: 1",
        "Customers that have miners of unknown status: 1",
        "Customers that have miners with unusable figures: 1",
    ]
    assert english["causes"] == chinese["causes"]
    assert english["causes"] == [
        "link_rate_low",
        "error_rate_high",
        "customers_failed",
        "sync_old",
        "market_stale",
        "ambiguous_email",
        "unknown_status",
        "unusable_figure",
    ]
    assert chinese["issues"][0] == "关联率 16.7% 低于 20%"
    assert len(chinese["issues"]) == len(english["issues"])
    assert not set(chinese["issues"]) & set(english["issues"])


def test_a_run_that_failed_or_was_cut_short_is_no_sync(client: Client, crm: Crm, owner: Connection) -> None:
    admin = crm.account(role="admin")
    crm.snapshot()
    crm.linked_customer()
    owner.run("insert into crm_hosting.runs (origin, state, ended_at) values ('schedule', 'failed', now())")
    owner.run("insert into crm_hosting.runs (origin, state, ended_at) values ('schedule', 'partial', now())")

    status = data(client.get(PATH, admin, accept_language="en"))

    assert (status["last_sync"], status["issues"]) == (None, ["No synchronisation has completed yet"])


def test_of_a_run_over_everybody_an_owner_learns_what_is_his_alone(client: Client, crm: Crm, owner: Connection) -> None:
    admin, one, other = crm.account(role="admin"), *(crm.account(role="mining_site_owner") for _ in range(2))
    crm.snapshot()
    owner.run("alter table crm_customers add constraint few check (miners_count < 100)")
    for _ in range(3):
        crm.linked_customer(one)
        crm.linked_customer(other, quantity=200, status="retired")
    crm.linked_customer(one, quantity=200)
    client.post("/crm/api/sync-all-hosting", admin)

    assert data(client.get(PATH, one, accept_language="en"))["issues"] == [
        "Sync error rate 25.0 % is above 5 %",
        "Customers that failed in the last sync: 1",
    ]
    assert data(client.get(PATH, other, accept_language="en"))["issues"][:2] == [
        "Sync error rate 100.0 % is above 5 %",
        "Customers that failed in the last sync: 3",
    ]
    assert "Customers that failed in the last sync: 4" in data(client.get(PATH, admin, accept_language="en"))["issues"]


def test_an_owners_own_newer_run_counts_for_him(client: Client, crm: Crm, owner: Connection) -> None:
    one = crm.account(role="mining_site_owner")
    crm.snapshot()
    customer = crm.linked_customer(one, quantity=200)
    owner.run("alter table crm_customers add constraint few check (miners_count < 100) not valid")
    client.post("/crm/api/sync-all-hosting", crm.account(role="admin"))
    assert data(client.get(PATH, one))["issues"]

    owner.run("alter table crm_customers drop constraint few")
    client.post("/crm/api/sync-all-hosting", one)

    assert data(client.get(PATH, one))["issues"] == []
    assert crm.row(customer)["miners_count"] == 200


def test_a_difficulty_in_another_unit_is_critical_whoever_wrote_it(client: Client, crm: Crm, owner: Connection) -> None:
    admin = crm.account(role="admin")
    crm.linked_customer()
    crm.snapshot(difficulty=145.04)  # in trillions, and divided once more
    client.post("/crm/api/sync-all-hosting", admin)
    status = data(client.get(PATH, admin, accept_language="en"))
    assert status["sync_health"] == "critical"
    assert [issue.split(":")[0] for issue in status["issues"]] == ["Market data cannot be right"] * 2

    crm.snapshot()
    assert data(client.get(PATH, admin))["sync_health"] == "healthy"

    owner.run(
        "insert into crm_hosting.market_snapshots"
        " (btc_price, network_difficulty, network_hashrate, block_reward, is_valid)"
        " values (95000, 145.04, 1000, 3.125, true)"
    )
    assert data(client.get(PATH, admin))["sync_health"] == "critical"
