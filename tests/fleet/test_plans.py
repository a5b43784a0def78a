"""What asks about one customer is planned once, however many there are: to plan it takes longer than to run it."""

import pytest

from crm_services.postgres.database import database
from tests.support.client import Client
from tests.support.crm import Crm

OTHERS = """
insert into user_access (id, name, email, role)
  select 100000 + i, 'Account ' || i, 'customer' || i || '@example.com', 'client' from generate_series(1, 20000) i;
insert into crm_customers (id, name, email) select i, 'Customer ' || i, 'customer' || i || '@example.com'
  from generate_series(100000, 120000) i
"""
# Of the statements that say this the one that was asked most.
PLANNED = """
select generic_plans, custom_plans from pg_prepared_statements where statement like '%' || :says::text || '%'
order by generic_plans + custom_plans desc limit 1
"""


@pytest.mark.parametrize(("path", "says"), [("hosting-miners", "begun as ("), ("sync-hosting?dry_run=true", "is_due")])
def test_a_statement_about_one_customer_keeps_its_plan(client: Client, crm: Crm, path: str, says: str) -> None:
    admin = crm.account(role="admin")
    crm.miners(crm.account("one@example.com"))
    customer = crm.customer("one@example.com")
    for statement in OTHERS.split(";"):
        crm.db.run(statement)
    crm.db.run("analyze")

    ask = client.post if path.startswith("sync") else client.get
    for _ in range(12):
        assert ask(f"/crm/api/customer/{customer}/{path}", admin).status_code == 200

    with database.transaction() as transaction:
        generic, custom = transaction.row(PLANNED, says=says)
    assert generic >= 12
    assert custom == 0
