"""Random databases of a CRM, with all that its data hold."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.support.oracle import STATUSES

ADMIN, OWNER = 1, 2
MODELS = ["Zeta", "alpha", "Alpha", "蚂蚁 S21", 'S19 "XP"', "é"]
# What a data sheet says, or the CRM knows: nothing where it is 0.
REFERENCES = [
    (100.0, 3000),
    (100.0, 3000),
    (140.0, 0),
    (0.0, 3500),
    (1.2, 18),
    (float("nan"), 3000),
    (1e308, -5),
    (5e-324, 2**31 - 1),
]
BLANKS = ["", "", "", " ", "\t", "\r\n", "\u00a0", "\u3000", " \u3000\t", "\u2003"]


def written(before: str, text: str, how: Callable[[str], str], after: str) -> str:
    """An address as a person may type it."""
    return before + how(text) + after


blank = st.sampled_from(BLANKS)
address = st.sampled_from(
    ["a@x.com", "b@x.com", "ä@ß.com", "i̇stanbul@x.com", "İSTANBUL@x.com", "ΣΑΣ@x.com", "%_@x.com"]
)
case = st.sampled_from([str, str, str.upper, str.title, str.swapcase])
email = st.one_of(
    st.builds(written, blank, address, case, blank),
    st.sampled_from(["", " ", "\t\u3000", "nobody@x.com"]),
)
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
name = st.one_of(st.none(), st.sampled_from(["北极星 七号", 'it\'s "quoted"', "\\", "", "</b>", "\x01\x7f"]), words)
location = st.one_of(
    name, st.sampled_from(["Texas DC-01", " Texas DC-01\t", "\u3000", "__other__", "__none__", "___", "北", "é"])
)
status = st.one_of(
    st.sampled_from(STATUSES),
    st.sampled_from(
        ["online", "manual", "manual", "error", "disabled", "pending", " Online\r\n", "MANUAL\u200b", "onl\u200bine"]
    ),
    st.sampled_from(
        ["Active", " SOLD\t", "\u3000offline", "retired", "", "ACTİVE", "ſold", "activ", "\u2003active\ufeff", "error!"]
    ),
)
# Few values, so that models tie; what a machine may have; what counts as 0. A customer's record can hold their sums.
unusable = st.sampled_from([float("nan"), float("inf"), float("-inf"), -0.01, -1e308])
tame = {
    "quantity": st.sampled_from([0, 1, 2, 10, 10, 60, -3]),
    "actual_hashrate": st.one_of(
        st.sampled_from([100.0, 100.0, 140.5, 200.0, 0.0, 1.0, 300.0, 1500.0, 100_000.0]), st.floats(0, 500), unusable
    ),
    "actual_power": st.one_of(st.sampled_from([0, 3, 1000, 3000, 4500, 9000, 20_001, -1]), st.integers(1000, 6000)),
    "electricity_cost": st.one_of(
        st.sampled_from([0.0, -0.0, 0.05, 0.05, 0.045, 0.1 + 0.2, 1.0, 5.0]), st.floats(0, 1), st.just(5e-324), unusable
    ),
}
# Whatever the columns can hold, which the record mostly cannot.
wild = {
    "quantity": st.one_of(tame["quantity"], st.sampled_from([2**31 - 1, -(2**31)])),
    "actual_hashrate": st.one_of(tame["actual_hashrate"], st.sampled_from([1e308, 1e15]), st.floats()),
    "actual_power": st.one_of(tame["actual_power"], st.just(2**31 - 1)),
    "electricity_cost": st.one_of(tame["electricity_cost"], st.sampled_from([1e308, 1e15]), st.floats()),
}
moment = st.integers(0, 5).map(lambda hours: datetime(2026, 1, 1) + timedelta(hours=hours))
ages = st.sampled_from([timedelta(hours=hours) for hours in (0, 0, 1, 3, 7, 30, -1, -5)])
positive = st.one_of(st.floats(1e-3, 1e6), st.sampled_from([95_000.0, 0.0, -1.0, float("nan"), float("inf"), 1e300]))
# In trillions, as the CRM has it; or as it is, as somebody else might.
difficulty = st.one_of(st.floats(1.0, 1e4), st.floats(1e12, 1e16), st.sampled_from([145.04, 1e6, 0.0, float("nan")]))


@st.composite
def databases(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """The rows of a CRM: an admin, a mine owner, up to eight accounts with machines, up to twenty customers."""
    emails = draw(st.lists(email, min_size=2, max_size=8, unique=True))
    accounts = [
        {"id": ADMIN, "email": "admin@staff", "role": "admin", "is_active": True, "created_by_id": None},
        {"id": OWNER, "email": "owner@staff", "role": "mining_site_owner", "is_active": True, "created_by_id": None},
    ] + [
        {"id": number, "email": one, "role": "client"}
        | {"is_active": draw(st.booleans()), "created_by_id": draw(st.sampled_from([None, ADMIN, OWNER]))}
        for number, one in enumerate(emails, 3)
    ]
    models = draw(st.lists(st.sampled_from(MODELS), min_size=2, unique=True))
    # Most customers are linked, and most machines are those of an account that a customer may be linked to.
    known = st.builds(written, blank, st.sampled_from(emails), case, blank)
    customer = st.fixed_dictionaries(
        {
            "email": st.one_of(known, known, known, email, st.none()),
            "created_by_id": st.sampled_from([None, ADMIN, OWNER, OWNER]),
            "user_account_id": st.sampled_from([None] * 8 + [one["id"] for one in accounts]),
        }
    )
    miner = st.fixed_dictionaries(
        {
            "user_id": st.sampled_from([one["id"] for one in accounts[2:]]),
            "miner_model_id": st.integers(1, len(models)),
            "custom_name": name,
            **draw(st.sampled_from([tame, tame, wild])),
            "status": status,
            "location": location,
            "created_at": moment,
        }
    )
    hosted = st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from([one["id"] for one in accounts[2:]]),
            "site_id": st.integers(1, 2),
            "miner_model_id": st.integers(1, len(models)),
            "actual_hashrate": tame["actual_hashrate"],
            "actual_power": st.one_of(
                st.sampled_from([0.0, 0.5, 2999.5, 3000.4999, 2.0**31, 5e-324]), st.floats(0, 9e3), unusable
            ),
            "status": status,
            "approval_status": st.sampled_from(["approved"] * 5 + ["draft", "pending_approval", "rejected", None]),
            "created_at": moment,
        }
    )
    site = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["Texas DC-01", "", "\u200b ", "埃塞俄比亚"]),
            "electricity_rate": tame["electricity_cost"],
        }
    )
    now = datetime.now(UTC)
    figures = {
        "btc_price": st.one_of(st.just(95_000.0), positive),
        "network_hashrate": positive,
        "block_reward": st.one_of(st.just(3.125), positive),
    }
    # The CRM's clock is that of the US East coast. Some of its rows are old, or of an hour that comes twice or never.
    snapshot = st.fixed_dictionaries(
        figures
        | {
            "recorded_at": st.one_of(
                moment,
                st.sampled_from([datetime(2026, 3, 8, 2, 30), datetime(2025, 11, 2, 1, 30)]),
                ages.map(lambda age: (now - age).astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)),
            ),
            "network_difficulty": difficulty,
            "is_valid": st.sampled_from([True, True, None, False]),
        }
    )
    own_snapshot = st.fixed_dictionaries(
        figures
        | {
            "recorded_at": ages.map(lambda age: now - age),
            "network_difficulty": st.floats(1e12, 1e16),
            "is_valid": st.sampled_from([True, True, False]),
        }
    )
    drawn: dict[str, list[dict[str, Any]]] = {
        "miner_models": [
            dict(zip(("reference_hashrate", "reference_power"), draw(st.sampled_from(REFERENCES)), strict=True))
            | {"model_name": one, "manufacturer": ""}
            for one in models
        ],
        "hosting_sites": [
            draw(site) | {"location": f"place {number}", "capacity_mw": 1, "operator_name": ""} for number in (1, 2)
        ],
        "crm_customers": draw(st.lists(customer, min_size=4, max_size=20)),
        "user_miners": draw(st.lists(miner, min_size=8, max_size=40)),
        "hosting_miners": [
            row | {"serial_number": f"SN{number}"} for number, row in enumerate(draw(st.lists(hosted, max_size=30)))
        ],
        "network_snapshots": draw(st.lists(snapshot, max_size=3)),
        "crm_hosting.market_snapshots": draw(st.lists(own_snapshot, max_size=2)),
    }
    return {"user_access": accounts} | {
        table: [{"id": number} | row for number, row in enumerate(rows, 1)] for table, rows in drawn.items()
    }
