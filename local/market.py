"""`make market`: fetch price and network once, for the database of `make run` or the one of `DATABASE_URL`."""

import json
import sys
from contextlib import redirect_stdout
from typing import Any

from crm_services.base.errors import AppError
from crm_services.postgres.roles import MARKET_ROLE
from local.environment import set_environment
from local.lambda_context import LambdaContext
from local.postgres import DidNotStart, InUse
from local.sync import database_url


def fetch() -> dict[str, Any] | None:
    """The row that was appended, if any was; what the function logs goes to standard error."""
    with database_url(MARKET_ROLE) as url, redirect_stdout(sys.stderr):
        set_environment(url)
        import market_refresh  # noqa: PLC0415 (it reads the environment, and logs where stdout is now)

        row: dict[str, Any] | None = market_refresh.handler({}, LambdaContext("MarketRefreshFunction", 120))["recorded"]
        return row


if __name__ == "__main__":
    try:
        row = fetch()
    except (AppError, InUse, DidNotStart) as error:
        sys.exit(f"Nothing was fetched: {error!r}")
    except KeyboardInterrupt:
        sys.exit(130)
    if row is None:
        sys.exit("No source could be reached, or none gave a usable answer: nothing was appended.")
    print(json.dumps(row))
