"""`make links`: what a page of links costs, by its state and with a search or without, and what suggestions cost.

`python -m benchmarks.links [customers]`: 100,000 unless said otherwise.
"""

import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from typing import Any, TextIO, get_args

from benchmarks import asking, data, lists, report
from crm_services.access.entry import verify_resource_access
from crm_services.access.roles import Permission
from crm_services.links.listing import PREPARE_PAGE, State
from crm_services.links.suggestions import suggestions
from crm_services.postgres.database import Database
from crm_services.sync.batch import run
from local.postgres import Server, connect, server

CUSTOMERS = 100_000
TENANT = data.OWNERS - 1  # who has a nineteenth of all
SUGGESTED_FOR = 200  # customers

# Beside a third that is linked: of a hundred customers four have an address that is nearly an account's, one has that
# of an account, and another shares its; in a hundred accounts one has an address twice.
DOUBT = """
update crm_customers c set email = case id % 100
    when 31 then 'acount' || id % {accounts} || '@example.com'
    when 32 then 'account' || id % {accounts} || '@exmaple.com'
    when 33 then 'account' || id % {accounts} || '+crm@example.com'
    when 34 then 'mailto:account' || id % {accounts} || '@example.com'
    when 35 then 'account' || id % {accounts} || '@example.com' end
where id % 100 between 31 and 35;
update crm_customers c set email = a.email
  from crm_customers a where a.id = c.id - 25 and c.id % 100 = 36;
insert into user_access (name, email, role)
  select 'again', lower(email), 'client' from user_access where id % 100 = 40;
"""
LOSE = "update crm_customers set email = null where hosting_synced_at is not null and id % 100 = 1;"

UNLINKED = """
select id, email from crm_hosting.customers where hosting_synced_at is null and email_key is not null
order by md5(id::text) limit :customers::integer
"""

SEARCHES = {
    "": None,
    "rare": "{part}",
    "common": "mining",
    "nearly an account's": "acount",
    "none": "no such name",
    "two letters": "zz",
}


def main(customers: int) -> None:
    """Print the tables."""
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115 (the log lines are written, and not read)
    with tempfile.TemporaryDirectory(prefix="links-") as folder, server(folder, data.SETTINGS) as postgres:
        measure(postgres, customers, out)


def measure(postgres: Server, customers: int, out: TextIO) -> None:
    """The two tables, of a server that has the database or gets it."""
    name = _doubtful(postgres, customers)
    with connect(postgres.url(name)) as crm:
        [[called]] = crm.run(
            "select substr(name, length(name) - 7) from crm_customers where id = :id", id=customers // 2
        )
    callers = {"who sees all": asking.ADMIN, "a tenant": TENANT}
    rows: list[dict[str, Any]] = []
    with closing(lists.at(postgres, name)) as database:
        for state in (None, *get_args(State)):
            for kind, text in SEARCHES.items():
                query = {"state": state} if state else {}
                query |= {"search": text.format(part=called)} if text else {}
                rows.append({"state": state or "any", "search": kind or "–"} | {
                    f"{who} ms": lists.quickest(lists.ask("hosting_links", caller, query))
                    for who, caller in callers.items()
                })  # fmt: skip
        print(report.table(rows), end="\n\n", file=out)
        print(report.table([_of_one(database, who, caller) for who, caller in callers.items()]), file=out)


def _of_one(database: Database, who: str, account: int) -> dict[str, Any]:
    """What suggestions take of one customer after the other."""
    took = []
    with database.transaction() as transaction:
        caller = verify_resource_access(transaction, account, Permission.VIEW)()
        transaction.rows(PREPARE_PAGE)
        fields = transaction.rows(UNLINKED, customers=SUGGESTED_FOR)
        for id_, email in fields:
            started = time.perf_counter()
            suggestions(transaction, caller, {id_: email}, "en")
            took.append((time.perf_counter() - started) * 1000)
    return {"suggestions to": who, "of one, median ms": statistics.median(took), "most ms": max(took)}


def _doubtful(postgres: Server, customers: int) -> str:
    """The name of a database in which customers are linked in every way, and nearly so."""
    name = f"doubtful_{customers}"
    data.copy(postgres, data.make(postgres, customers), name)
    asking.let_in(postgres, name)
    with connect(postgres.url(name)) as crm:
        for statements in (DOUBT, LOSE):
            for statement in statements.format(accounts=customers * 35 // 100).split(";")[:-1]:
                crm.run(statement)
            with closing(lists.at(postgres, name)) as database:
                run(database, None, "console")
        crm.run("vacuum analyze")
    return name


if __name__ == "__main__":
    main(*([int(size) for size in sys.argv[1:]] or [CUSTOMERS]))
