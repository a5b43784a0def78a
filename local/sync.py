"""`make sync`: the daily batch, once, on the database of `make run` or the one of `DATABASE_URL`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from crm_services.base.errors import AppError
from crm_services.postgres.roles import ROLE
from local.crm import DATABASE, prepare
from local.environment import DATABASE_DIRECTORY, given_database, set_environment
from local.lambda_context import LambdaContext
from local.postgres import DidNotStart, InUse, running, server


def sync() -> dict[str, Any]:
    """What the batch counted."""
    with database_url() as url, redirect_stdout(sys.stderr):
        set_environment(url)
        import daily_sync  # noqa: PLC0415 (it reads the environment, and logs where stdout is now)

        counts: dict[str, Any] = daily_sync.handler({}, LambdaContext("DailySyncFunction", 900))
        return counts


@contextmanager
def database_url(role: str = ROLE) -> Iterator[str]:
    """The database of `DATABASE_URL` or of `make run`, which is started if need be, for that role."""
    if given := given_database():
        yield given
    elif server_of_run := running(DATABASE_DIRECTORY):
        yield server_of_run.url(DATABASE, role)
    else:
        with server(DATABASE_DIRECTORY) as postgres:
            prepare(postgres, lambda line: print(line, file=sys.stderr))
            yield postgres.url(DATABASE, role)


if __name__ == "__main__":
    try:
        print(json.dumps(sync()))
    except (AppError, InUse, DidNotStart) as error:
        sys.exit(f"The sync failed: {error!r}")
    except KeyboardInterrupt:
        sys.exit(130)
