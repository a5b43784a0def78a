"""The events that the benchmarks ask with, and the environment that the handlers find."""

import json
import time
from typing import Any

from local.cookies import session_cookie
from local.environment import EVENTS
from local.postgres import Server, connect

SECRET = "benchmark"  # noqa: S105
ADMIN = 1


def environment(postgres: Server, database: str) -> dict[str, str]:
    """What the template gives the functions."""
    return {
        "DATABASE_URL": postgres.url(database, "crm_hosting"),
        "SESSION_SECRET": SECRET,
        "LINK_SCOPE": "any",
        "POWERTOOLS_SERVICE_NAME": "crm-hosting",
        "POWERTOOLS_METRICS_NAMESPACE": "CrmHosting",
    }


def let_in(postgres: Server, database: str) -> None:
    """Make an admin of the account that asks."""
    with connect(postgres.url(database)) as crm:
        crm.run("update user_access set role = 'admin' where id = :id", id=ADMIN)


def event(function: str, customer: int, account: int = ADMIN, /, **query: str) -> dict[str, Any]:
    """The function's event about that customer; its answer is not compressed, which the caller may wish for or not."""
    asked: dict[str, Any] = json.loads((EVENTS / f"{function}.json").read_text())
    asked["cookies"] = [f"session={session_cookie(SECRET, account)}"]
    asked["requestContext"]["timeEpoch"] = int(time.time() * 1000)
    asked["headers"].pop("accept-encoding", None)
    asked["queryStringParameters"] = query
    if given := asked.get("pathParameters"):
        http = asked["requestContext"]["http"]
        asked["rawPath"] = http["path"] = asked["rawPath"].replace(given["customer_id"], str(customer))
        given["customer_id"] = str(customer)
    return asked
