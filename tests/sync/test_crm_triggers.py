"""Triggers of the CRM's own: they run with the rights that they have when the CRM writes."""

import pytest

from crm_services.postgres.database import database
from crm_services.sync import batch
from tests.support.client import Client, data
from tests.support.crm import Crm
from tests.support.runs import failures

# As a CRM has it: not security definer, so it runs as whoever writes the customer.
AUDIT = """
create table public.audit_log (at timestamptz default now(), customer_id integer, was jsonb, who text);
create function public.audit() returns trigger language plpgsql as $$ begin
  insert into audit_log (customer_id, was, who) values (new.id, to_jsonb(old), current_user);
  return new;
end $$;
create trigger audit after update on public.crm_customers for each row execute function public.audit()
"""
REFUSAL = """
create function public.refuse() returns trigger language plpgsql as $$ begin
  if new.name = 'refused' then raise exception 'not this one' using errcode = '{sqlstate}'; end if;
  return new;
end $$;
create {kind} on public.crm_customers {when} for each row execute function public.refuse()
"""
AT_ONCE = {"kind": "trigger refuse before update", "when": ""}
AT_THE_END = {"kind": "constraint trigger refuse after update", "when": "deferrable initially deferred"}


@pytest.fixture
def audited(crm: Crm) -> Crm:
    crm.snapshot()
    crm.db.run(AUDIT)
    return crm


def test_an_audit_trigger_writes_its_table_for_the_sync_of_one_and_of_all(client: Client, audited: Crm) -> None:
    admin = audited.account(role="admin")
    one, other = audited.linked_customer(), audited.linked_customer()

    assert client.post(f"/crm/api/customer/{one}/sync-hosting", admin).status_code == 200
    assert data(client.post("/crm/api/sync-all-hosting", admin))["errors"] == 0

    rows = audited.db.run("select customer_id, who, was ->> 'miners_count' from audit_log order by at")
    assert [tuple(row) for row in rows] == [(one, "crm", "0"), (other, "crm", "0")]


@pytest.mark.parametrize(
    ("sqlstate", "when"),
    [("P0001", AT_ONCE), ("P0001", AT_THE_END), ("42501", AT_ONCE), ("CR001", AT_ONCE), ("21000", AT_ONCE)],
)
def test_what_a_trigger_refuses_fails_that_customer_alone(
    client: Client, audited: Crm, sqlstate: str, when: dict[str, str]
) -> None:
    admin = audited.account(role="admin")
    customers = [audited.linked_customer() for _ in range(5)]
    audited.db.run("update crm_customers set name = 'refused' where id = :id", id=customers[2])
    audited.db.run(REFUSAL.format(sqlstate=sqlstate, **when))

    assert client.post(f"/crm/api/customer/{customers[2]}/sync-hosting", admin).status_code == 409
    outcome = batch.run(database, None, "schedule")

    assert outcome.result == {"total": 5, "synced": 4, "skipped": 0, "errors": 1}
    assert failures(audited.db) == [(customers[2], sqlstate, None)]
