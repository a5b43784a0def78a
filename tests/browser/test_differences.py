"""What changed: on the overview since the day before, and below a run on its day."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.people import ADMIN
from tests.browser.conftest import Visitor, settled
from tests.browser.test_runs import answered
from tests.browser.test_states import violations

CHANGES = "/crm/api/hosting/changes"
MARKET = {"btc_price": 100_000, "network_difficulty": 1.5e14}
FLEET = {"miners_count": 100, "active_miners": 90, "total_hashrate": 20_000, "net_profit_daily": 500.5}


def listed(page: Page) -> list[int]:
    ids: list[int] = page.locator("#differences li").evaluate_all(
        "all => all.map((one) => Number(one.dataset.customer))"
    )
    return ids


def shown(visitor: Visitor, fleets: list[dict[str, Any]], **envelope: Any) -> Page:
    """The overview where the API answers that."""
    page = visitor.open("/crm/hosting", wait=False)
    answer = {"day": "2026-03-02", "since": "2026-02-28", "market": {"before": MARKET, "after": MARKET}}
    page.route(f"**{CHANGES}*", answered(fleets, count=len(fleets), **(answer | envelope)))
    page.reload()
    settled(page)
    return page


@pytest.mark.parametrize("user", [1, ADMIN.id])
def test_the_largest_changes_come_first_and_others_follow(visitor: Visitor, user: int) -> None:
    page = visitor.open("/crm/hosting", user)
    changes = visitor.get(page, CHANGES)
    ids = [one["customer_id"] for one in changes]

    assert len(ids) > 5
    assert {one["after"]["net_profit_daily"] > (one["before"] or FLEET)["net_profit_daily"] for one in changes} == {
        True,
        False,
    }
    assert listed(page) == ids[:5]
    more = page.locator("#differences").get_by_role("button", name="Load more")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#differences li")).to_have_count(min(10, len(ids)))
    assert listed(page) == ids[:10]
    with page.expect_download() as saved:
        page.locator("#differences").get_by_role("button", name="CSV").click()
    assert len(saved.value.path().read_text(encoding="utf-8").splitlines()) == 1 + len(ids)
    page.locator("#differences li").nth(1).locator(".since").click(force=True)  # the whole row is the link
    settled(page)
    assert page.url.endswith(f"/crm/hosting/customer/{ids[1]}")


def test_a_change_has_a_sign_and_only_what_differs(visitor: Visitor) -> None:
    worse = FLEET | {"active_miners": 60, "net_profit_daily": -1_234.5}
    better = FLEET | {"miners_count": 110, "total_hashrate": 22_000, "net_profit_daily": 600.75}
    unknown = FLEET | {"total_hashrate": 10_000, "net_profit_daily": None}
    fleets = [
        {"customer_id": at, "name": name, "before": before, "after": after}
        for at, (name, before, after) in enumerate(
            [("Worse", FLEET, worse), ("Better", FLEET, better), ("New", None, FLEET), ("Unknown", FLEET, unknown)], 1
        )
    ]
    after = {"btc_price": 97_900, "network_difficulty": 1.53e14}
    page = shown(visitor, fleets, market={"before": MARKET, "after": after})

    told = page.locator("#differences li").all_inner_texts()
    assert [" ".join(one.split()) for one in told] == [
        "Worse Running 90 → 60 Net profit a day $500.50 → -$1,235 -$1,735",
        "Better Machines 100 → 110 · Hashrate 20.00 PH/s → 22.00 PH/s Net profit a day $500.50 → $600.75 +$100.25",
        "New new · Machines 100 · Running 90 · Hashrate 20.00 PH/s Net profit a day $500.50 +$500.50",
        "Unknown Hashrate 20.00 PH/s → 10.00 PH/s Net profit a day $500.50 → –",
    ]
    expect(page.locator("#differences .head")).to_contain_text("since Feb 28")
    expect(page.locator("#differences > p").first).to_have_text(
        "Bitcoin fell by 2.1 %: $100,000 → $97,900 · Difficulty rose by 2.0 %: 150.00 T → 153.00 T"
        " · Fleets that changed: 4"
    )
    assert violations(page) == []


def test_where_nothing_changed_it_says_so(visitor: Visitor) -> None:
    page = shown(visitor, [])
    expect(page.locator("#differences")).to_contain_text("No fleet changed since Feb 28.")
    expect(page.locator("#differences")).to_contain_text("Bitcoin unchanged: $100,000")
    nothing = {"before": None, "after": None}
    page = shown(visitor, [], since=None, market=nothing)
    expect(page.locator("#differences")).to_contain_text("No earlier day to compare with yet")
    expect(page.locator("#differences button")).to_be_hidden()
    page = shown(visitor, [], market={"before": MARKET, "after": {"btc_price": None, "network_difficulty": None}})
    expect(page.locator("#differences")).not_to_contain_text("Bitcoin")


def test_a_run_says_what_changed_on_its_day(visitor: Visitor) -> None:
    page = visitor.open("/crm/hosting/runs", ADMIN.id)
    newest, *_, other = page.locator("#runs [data-run]").evaluate_all("all => all.map((one) => one.dataset.run)")
    for run in (newest, other):
        page.locator(f"[data-run='{run}'] a").click()
        expect(page.locator("#run h2")).to_have_text(f"Run {run}")
        expect(page.locator("#run[aria-busy=false] #differences[aria-busy=false]")).to_be_visible()
        day = visitor.get(page, f"/crm/api/sync-runs/{run}")["run"]["day"]
        ids = [one["customer_id"] for one in visitor.get(page, f"{CHANGES}?day={day}&limit=5")]
        assert listed(page) == (ids or [0])
        expect(page.locator("#run h3").last).to_have_text("What changed")
    assert violations(page) == []


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_on_a_wide_screen_it_stands_beside_what_needs_attention(visitor: Visitor, language: str) -> None:
    page = visitor.open("/crm/hosting", language=language)
    for width in (390, 900, 1440, 2200):
        page.set_viewport_size({"width": width, "height": 900})
        attention, differences = (page.locator(f"#{id_}").bounding_box() for id_ in ("attention", "differences"))
        assert attention
        assert differences
        assert differences["width"] == pytest.approx(attention["width"], abs=0.1)
        assert width == 390 or [differences[of] for of in ("y", "height")] == [attention[of] for of in ("y", "height")]
        assert (differences["x"] > attention["x"]) == (width > 390)
