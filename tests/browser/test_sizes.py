"""Nobody, one customer, a hundred thousand: what the pages say, that nothing jumps or waits for the whole list."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Response, expect

from local.people import ADMIN
from local.postgres import Server, connect, create_database
from tests.browser.conftest import Visitor, serving, settled, shifted, sync
from tests.browser.test_states import LINKS, OVERVIEW, violations
from tests.support.crm import Crm

RUNS = "/crm/hosting/runs"
MANY = 100_000
NONE, ONE = 8002, 8003  # the owners of no customer and of one
# Three in ten have an account with machines, a few two of them; of a few the CRM takes no figures.
FILL = f"""
insert into user_access (id, name, email, role) values
  ({ADMIN.id}, 'Admin', 'admin@example.com', 'admin'), ({NONE}, 'None', 'none@example.com', 'mining_site_owner'),
  ({ONE}, 'One', 'one@example.com', 'mining_site_owner');
insert into user_access (id, name, email, role)
  select 10000 + i, 'Account ' || i, 'customer' || i || '@example.com', 'client' from generate_series(1, {MANY}) i
  where i % 10 < 3;
insert into user_access (id, name, email, role)
  select 200000 + i, 'Twin ' || i, 'CUSTOMER' || i || '@example.com', 'client' from generate_series(1, {MANY}, 5000) i;
insert into user_miners (user_id, miner_model_id, quantity, actual_hashrate, actual_power, electricity_cost, status)
  select id, (select min(id) from miner_models), 1 + id % 40, 200, 3500, 0.03 + id % 7 * 0.01, 'online'
  from user_access where id between 10000 and 200000;
insert into crm_customers (id, name, email, created_by_id)
  select i, 'Customer ' || i, 'customer' || i || '@example.com', case when i = 1 then {ONE} else {ADMIN.id} end
  from generate_series(1, {MANY}) i;
alter table crm_customers add constraint contract check (id % 20000 <> 2 or miners_count < 1) not valid
"""
SIZES = {
    "none": (
        NONE,
        {OVERVIEW: "No customers yet", LINKS: "No customers yet", RUNS: "You have not started a sync yet."},
    ),
    "one": (
        ONE,
        {OVERVIEW: "Customers shown: 1", LINKS: "Every customer is linked.", RUNS: "not started a sync yet."},
    ),
    "many": (
        ADMIN.id,
        {OVERVIEW: "70,000 not linked", LINKS: "of 100,000 customers", RUNS: "A rule of the CRM does not allow"},
    ),
}


@pytest.fixture(scope="module")
def database_url(postgres: Server) -> str:
    """A hundred thousand customers, synced."""
    create_database(postgres, "browser_sizes", template="template_crm")
    with connect(postgres.url("browser_sizes", "crm")) as owner:
        crm = Crm(owner)
        crm.snapshot()
        crm.model("Antminer S21")
        for statement in FILL.split(";"):
            owner.run(statement)
        owner.run("analyze")
    url = postgres.url("browser_sizes", "crm_hosting")
    sync(url)
    return url


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(database_url, tmp_path_factory.mktemp("sizes") / "log") as address:
        yield address


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", [OVERVIEW, LINKS, RUNS])
def test_a_page_has_words_for_any_number_of_customers_and_stands_still(visitor: Visitor, path: str, size: str) -> None:
    user, words = SIZES[size]
    for width in (390, 1440):
        for language in ("en-US", "zh-CN"):
            page = visitor.open(path, user, language=language, width=width)
            assert shifted(page) < 0.01, (width, language)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, language
            if language == "en-US":
                expect(page.locator("main")).to_contain_text(words[path])
        assert violations(page) == []


@pytest.mark.parametrize(
    "path", [OVERVIEW, LINKS, f"{LINKS}?state=all", f"{LINKS}?state=ambiguous", f"{LINKS}?q=customer+99999", RUNS]
)
def test_of_a_hundred_thousand_a_page_is_asked_for_never_the_whole_list(visitor: Visitor, path: str) -> None:
    page = visitor.open("/crm/hosting/none", ADMIN.id, wait=False)
    answers: list[Response] = []
    page.on("response", lambda one: answers.append(one) if "/crm/api/" in one.url else None)
    page.goto(visitor.server + path)
    settled(page)

    assert 1 < len(answers) < 9
    assert sum(len(one.body()) for one in answers) < 50_000
    visitor.complaints.clear()


def test_a_preview_looks_at_all_of_them_and_shows_a_page(visitor: Visitor) -> None:
    page = visitor.open(RUNS, ADMIN.id)
    page.click("#preview")

    expect(page.locator("#would")).to_have_text("Would change 5 of 100,000 customers.", timeout=25_000)
    expect(page.locator("#changed tr")).to_have_count(5)
