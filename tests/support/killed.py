"""Runs of the batch that are killed at random moments, and what must hold when the next one has finished."""

import multiprocessing
import os
import random
import signal
import time
from contextlib import closing, suppress
from multiprocessing.process import BaseProcess

from pg8000.native import Connection

from crm_services.base.errors import AppError
from crm_services.postgres.database import Database
from crm_services.sync import batch, patience, worker
from local import crm_rows
from tests.support.crm import DIFFICULTY
from tests.support.runs import runs

CUSTOMERS = 600
CHUNK = 40

# A third of the customers is linked to an account with one to three batches of machines; every 100th of those pays
# more for its power than the CRM accepts. Two owners have half of them each.
DATA = f"""
insert into miner_models (model_name, manufacturer, reference_hashrate, reference_power)
  select 'Model ' || i, 'Maker', 100, 3000 from generate_series(1, 3) i;
insert into user_access (name, email) select 'account', 'account' || i || '@example.com'
  from generate_series(1, {CUSTOMERS}, 3) i;
insert into crm_customers (name, email, created_by_id) select 'customer', 'Account' || i || '@example.com', 1 + i % 2
  from generate_series(1, {CUSTOMERS}) i;
insert into user_miners (user_id, miner_model_id, quantity, actual_hashrate, actual_power, electricity_cost)
  select a.id, 1 + n, a.id % 9 + n, 100, 3000, case when a.id % 100 = 0 then 500 else 0.05 end
  from user_access a, generate_series(0, a.id % 3) n;
alter table crm_customers add constraint solvent check (hosting_net_profit_daily > -1000);
"""

# Customers whose record is not what it should be, by a plain reckoning of its own.
WRONG = """
with fleet as (
  select 'A' || substr(a.email, 2) as email, a.id % 100 = 0 as is_refused, sum(quantity) as machines
  from user_access a join user_miners m on m.user_id = a.id group by a.id
)
select c.id from crm_customers c left join fleet f on f.email = c.email
where case when f.is_refused or f.email is null then c.hosting_synced_at is not null
           else (c.miners_count, c.hosting_estimated_daily_usd)
                is distinct from (f.machines, round(f.machines * 100 * 0.000001 * :price, 2)) end
"""


LINKS = "select tenant_id, total_customers, linked_customers from crm_hosting.scope_days order by 1"

# Of the runs that are not ended: the customers in their ranges, up to each one's cursor.
DONE = """
select r.id, (select count(*) from crm_customers c
              join (select cursor, coalesce(lag(upto) over (order by number), 0) as after from crm_hosting.run_ranges g
                    where g.run_id = r.id and number > 0) g on c.id > g.after and c.id <= g.cursor)
from crm_hosting.runs r where r.state = 'running'
"""


class Killer:
    """Starts runs in processes of their own and ends them by force."""

    def __init__(self, owner: Connection, seed: int, workers: int = 1) -> None:
        self.owner = owner
        self.workers = workers
        self.counted: dict[int, int] = {}  # of the runs that were stopped: how many customers their ranges have done
        self.chance = random.Random(seed)  # noqa: S311
        self.price = 100_000
        owner.run(DATA)
        owner.run("analyze")
        self.change_prices()
        started = time.monotonic()
        self.start().join()
        self.duration = time.monotonic() - started
        self.check()

    def change_prices(self) -> None:
        """From now on every customer's figures are others."""
        self.price += 100
        crm_rows.insert(self.owner, "network_snapshots", crm_rows.snapshot(self.price, DIFFICULTY))

    def start(self) -> BaseProcess:
        """A run in a process of its own."""
        self.look()
        process = multiprocessing.get_context("fork").Process(target=_run, args=[self.workers])
        process.start()
        return process

    def wait(self) -> None:
        """Until a random moment of a run."""
        time.sleep(self.chance.uniform(0, self.duration))

    def kill_process(self) -> None:
        """SIGKILL, at a random moment."""
        process = self.start()
        self.wait()
        process.kill()
        process.join()

    def kill_connections(self) -> None:
        """The end of its connection, once to three times, each at a random moment."""
        process = self.start()
        for _ in range(self.chance.randint(1, 3)):
            self.wait()
            self.owner.run("select crm_test_terminate()")
        process.join()

    def stop_and_overtake(self) -> None:
        """SIGSTOP at a random moment, and SIGCONT when another run has finished, until that one has taken over."""
        for _ in range(20):
            process = self.start()
            self.wait()
            _signal(process, signal.SIGSTOP)
            stopped = [run["id"] for run in runs(self.owner) if run["state"] == "running"]
            self.start().join()
            overtaken = [run for run in runs(self.owner) if run["id"] in stopped and run["state"] == "abandoned"]
            before = self._written()
            _signal(process, signal.SIGCONT)
            process.join()
            if overtaken:  # else it had not begun, or was done
                assert self._written() == before, "a worker that was taken over has written"
                return
        raise AssertionError("no run was stopped in its midst")

    def check(self) -> None:
        """Every customer is right, each was counted once, and no run is left that looks alive."""
        *killed, last = runs(self.owner)
        assert last["state"] == "completed", last
        refused = len(self.owner.run("select from user_access where id % 100 = 0"))
        linked = CUSTOMERS // 3
        assert (last["total"], last["synced"], last["errors"]) == (CUSTOMERS, linked - refused, refused), last
        for run in killed:
            assert run["state"] != "running", run
            done = self.counted.get(run["id"], CUSTOMERS)
            assert run["total"] == run["synced"] + run["skipped"] + run["errors"] == done, (run, done)
        half = CUSTOMERS // 2, linked // 2
        assert self.owner.run(LINKS) == [[0, CUSTOMERS, linked], [1, *half], [2, *half]]
        wrong = self.owner.run(WRONG, price=self.price)
        assert wrong == [], f"{len(wrong)} customers are wrong"

    def look(self) -> None:
        """Count the customers that are done in the ranges of a run whose worker has gone."""
        self.owner.run("select from crm_hosting.run_ranges for share")  # its last commit may be under way
        for run_id, done in self.owner.run(DONE):
            self.counted[run_id] = done

    def _written(self) -> list[list[str]]:
        tables = ("crm_customers", "crm_hosting.runs", "crm_hosting.run_ranges", "crm_hosting.run_errors")
        return [row for table in tables for row in self.owner.run(f"select t::text from {table} t order by 1")]


def _signal(process: BaseProcess, number: int) -> None:
    if process.is_alive() and process.pid:
        os.kill(process.pid, number)


def _run(workers: int) -> None:
    worker.CHUNK_SIZE = CHUNK  # type: ignore[attr-defined] # the worker's own name for it
    patience.PAUSES_SECONDS = (0.01, 0.05, 0.2)
    batch.LEASE_POLL_SECONDS = 0.02
    worker.BUSY_SECONDS = 0.01
    with closing(Database()) as database, suppress(AppError):
        batch.run(database, None, "schedule", workers=workers)
