"""An answer belongs to its question, whatever a stranger between the bundle and PostgreSQL does to a message."""

import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crm_services.http import api
from crm_services.postgres import connecting, transaction
from crm_services.postgres.database import database
from local.postgres import Server
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.tampering import (
    Direction,
    Meddling,
    Stranger,
    after,
    before,
    cut,
    delayed_double,
    doubled,
    dropped,
    split,
    stranger,
)

# The protocol is the same from the oldest server to the newest.
pytestmark = pytest.mark.any_version

# Of all that may be done to each message, so many are tried; `make tamper` tries all.
SAMPLE = int(os.environ.get("TAMPERINGS", "80"))
SEED = int(os.environ.get("SEED", "1"))
# Nothing waits longer, with all the limits together; they are shortened for the test.
LONGEST_SECONDS = 5.0

READS = (
    "GET /crm/api/customer/{customer}/hosting-stats",
    "GET /crm/api/customer/{customer}/hosting-miners",
    "GET /crm/api/hosting/customers",
    "GET /crm/api/sync-status",
    "GET /crm/api/sync-runs",
)
SYNCS = (
    "POST /crm/api/customer/{customer}/sync-hosting",
    "POST /crm/api/sync-all-hosting?dry_run=true",
)
# More messages than any of these requests exchanges in one direction.
MESSAGES = 60
SURPLUS = {
    "of an unknown kind": b"?" + (8).to_bytes(4) + b"what",
    "that it is ready": b"Z" + (5).to_bytes(4) + b"T",
    "that it is ready, and idle": b"Z" + (5).to_bytes(4) + b"I",
    "a row": b"D" + (10).to_bytes(4) + (1).to_bytes(2) + (0).to_bytes(4),
    "that it is done": b"C" + (13).to_bytes(4) + b"SELECT 1\0",
    "an end": b"C" + (11).to_bytes(4) + b"COMMIT\0",
    "a length that is none": b"D" + (2).to_bytes(4),
    "a length beyond measure": b"D" + (0x7FFFFFFF).to_bytes(4),
    "a notice": b"N" + (5).to_bytes(4) + b"\0",
    "nonsense": b"\xff" * 9,
}
MEDDLINGS: dict[str, Meddling] = {
    "doubled": doubled,
    "doubled later": delayed_double,
    "dropped": dropped,
    "split": split,
    **{f"cut at {at}": cut(at) for at in (*range(12), 40, 200)},
    **{f"before it {what}": before(surplus) for what, surplus in SURPLUS.items()},
    **{f"after it {what}": after(surplus) for what, surplus in SURPLUS.items()},
}


@dataclass(frozen=True)
class Tenant:
    """A mine owner, his customer, and how the bundle answers him when nobody meddles."""

    user: int
    customer: int

    def path(self, request: str) -> tuple[str, str]:
        method, path = request.format(customer=self.customer).split(" ")
        return method, path


@pytest.fixture
def between(
    tmp_path: Path, postgres: Server, environment: pytest.MonkeyPatch, database_name: str
) -> Iterator[Stranger]:
    environment.setattr(api, "REQUEST_SECONDS", 3.0)
    environment.setattr(connecting, "CONNECT_SECONDS", 1.0)
    environment.setattr(transaction, "AT_ONCE_SECONDS", 0.4)
    environment.setattr(transaction, "GRACE_SECONDS", 0.5 - transaction.STATEMENT_SECONDS)
    with stranger(tmp_path, postgres) as one:
        environment.setenv("DATABASE_URL", one.server.url(database_name, "crm_hosting"))
        yield one
        database.close()


@pytest.fixture
def tenants(crm: Crm) -> tuple[Tenant, Tenant]:
    found = []
    crm.snapshot()
    for machines in (3, 5):
        user = crm.account(role="mining_site_owner")
        for _ in range(machines):
            customer = crm.linked_customer(user, quantity=machines)
        found.append(Tenant(user, customer))
    return found[0], found[1]


def asked(client: Client, tenant: Tenant, request: str) -> tuple[int, Any]:
    method, path = tenant.path(request)
    answer = client.ask(method, path, tenant.user)
    return answer.status_code, _lasting(json.loads(answer.data))


def served(client: Client, tenant: Tenant, request: str) -> tuple[int, Any]:
    """`asked`, but that the lock of a connection which was lost is waited for: PostgreSQL may not have seen its end."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while (answer := asked(client, tenant, request))[0] == 409 and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def _lasting(body: Any) -> Any:
    """Without what differs from one moment to the next."""
    match body:
        case dict():
            return {key: _lasting(value) for key, value in body.items() if "age" not in key and key != "correlation_id"}
        case list():
            return [_lasting(value) for value in body]
    return body


def cases(request: str) -> list[tuple[Direction, int, str, bool]]:
    """What is tried of a request: direction, message, what is done to it, and whether the connection is a new one."""
    directions: tuple[Direction, ...] = ("to the client", "to the server")
    every = [
        (direction, number, name, is_new)
        for direction in directions
        for number in range(MESSAGES)
        for name in MEDDLINGS
        for is_new in (False, True)
    ]
    chance = random.Random(f"{SEED} {request}")  # noqa: S311
    chance.shuffle(every)
    return every


@pytest.mark.parametrize("request_", [*READS, *SYNCS])
def test_no_answer_of_another_question_is_ever_given(
    client: Client, between: Stranger, tenants: tuple[Tenant, Tenant], request_: str
) -> None:
    alice, bob = tenants
    for tenant in tenants:
        asked(client, tenant, "POST /crm/api/sync-all-hosting")
    right = {tenant: asked(client, tenant, request_) for tenant in tenants}
    assert right[alice][0] == right[bob][0] == 200
    assert right[alice][1] != right[bob][1] or "sync-hosting" in request_
    # A preview that was cut off holds its lock until PostgreSQL has heard that nobody waits for it any more.
    passing = {503, 409} if "dry_run" in request_ else {503}
    beyond: dict[tuple[Direction, bool], int] = {}
    tried = 0

    for direction, number, name, is_new in cases(request_):
        if tried == SAMPLE:
            break
        if number >= beyond.get((direction, is_new), MESSAGES):
            continue
        if is_new:
            database.close()
        else:
            assert served(client, alice, request_) == right[alice]
        plan = between.plan(direction, number, MEDDLINGS[name])
        started = time.monotonic()

        answer = asked(client, bob, request_)

        took = time.monotonic() - started
        what = (direction, number, name, is_new, answer)
        if plan.is_done:
            tried += 1
        else:  # it has no such message
            beyond[direction, is_new] = number
            plan.is_done = True
        assert answer == right[bob] or answer[0] in passing, what
        assert took < LONGEST_SECONDS, what
        for tenant in (alice, bob):
            assert served(client, tenant, request_) == right[tenant], what
    assert tried
