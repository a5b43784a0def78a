"""Killed anywhere: the process, its connection, or time itself; the next run finishes what was begun.

`make kill` does it a thousand times; KILLS is how often for each way.
"""

import os

import pytest
from pg8000.native import Connection

from local.postgres import Server, connect
from tests.support.killed import Killer

KILLS = int(os.environ.get("KILLS", "5"))
DEAD_AFTER_SECONDS = "0.2"

# The CRM's role may not end another role's connection, which is the superuser's to do.
TERMINATE = """
create function crm_test_terminate() returns void language sql security definer as
$$ select pg_terminate_backend(pid) from pg_stat_activity
   where usename = 'crm_hosting' and datname = current_database() $$
"""


@pytest.fixture(params=[1, 3], ids=["one worker", "three"])
def killer(
    postgres: Server,
    database_name: str,
    owner: Connection,
    environment: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Killer:
    """Ends runs whose death is noticed after a fifth of a second instead of five minutes."""
    environment.setenv("RUN_DEAD_AFTER_SECONDS", DEAD_AFTER_SECONDS)
    with connect(postgres.url(database_name, "postgres")) as admin:
        admin.run(TERMINATE)
        admin.run(
            f"alter role crm_hosting in database {database_name} set idle_in_transaction_session_timeout = '500ms'"
        )
    return Killer(owner, seed=int(os.environ.get("SEED", "1")), workers=request.param)


@pytest.mark.parametrize("way", ["kill_process", "kill_connections", "stop_and_overtake"])
def test_a_run_that_is_stopped_by_force_loses_nothing(killer: Killer, way: str) -> None:
    for _ in range(KILLS):
        killer.change_prices()
        getattr(killer, way)()
        killer.start().join()
        killer.check()
