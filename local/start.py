"""The bundle on this machine, with a database and data of its own: started, served, stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

from crm_services.base.errors import AppError
from crm_services.base.secrets import session_secrets
from crm_services.base.settings import settings
from crm_services.postgres.migration import is_migrated
from crm_services.postgres.target import parse_database_url
from local.cookies import session_cookie
from local.crm import DATABASE, prepare
from local.environment import DATABASE_DIRECTORY, TEMPLATE, given_database, set_environment
from local.past import invent
from local.people import ADMIN, FIRST_CUSTOMER, MINE_OWNER, Account
from local.postgres import DidNotStart, InUse, running, server
from local.serve import listen, serve
from local.servers import NotToBeHad
from local.sign_in import link

say = partial(print, flush=True)


def main() -> None:
    """Start what is needed, serve until a signal comes, and stop all of it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    given = given_database()
    if not given and running(DATABASE_DIRECTORY):
        sys.exit(f"Another `make run` is using {DATABASE_DIRECTORY}: stop it first.")
    port = os.environ.get("PORT") or "3000"
    try:
        listener = listen(int(port))
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Port {port} cannot be used ({error}). Choose another: PORT=3001 make run")
    url = "http://{}:{}".format(*listener.getsockname())
    try:
        with _given_database(given) if given else _own_database():
            serve(listener, TEMPLATE, partial(_say_ready, url, is_demo=not given), is_demo=not given)
    except (InUse, DidNotStart, NotToBeHad) as error:
        sys.exit(str(error))


@contextmanager
def _own_database() -> Iterator[None]:
    say(f"Starting PostgreSQL in {DATABASE_DIRECTORY} …")
    with server(DATABASE_DIRECTORY) as postgres:
        set_environment(prepare(postgres, say))
        _sync_once()
        if invent(postgres.url(DATABASE)):
            _sync_once()
        yield


@contextmanager
def _given_database(url: str) -> Iterator[None]:
    try:
        migrated = is_migrated(parse_database_url(url))
    except AppError as error:
        sys.exit(f"The database of DATABASE_URL does not let us in: {error!r}")
    if not migrated:
        sys.exit("The database lacks the bundle's schema: `make migrate` with its owner's URL.")
    set_environment(url)
    yield


def _sync_once() -> None:
    say("Running the daily sync …")
    # A process of its own, as in Lambda: the environments forked later inherit nothing of it.
    done = subprocess.run([sys.executable, "-m", "local.sync"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The daily sync failed.\n{done.stderr}")
    say(f"  {done.stdout.strip()}")


def _say_ready(url: str, is_demo: bool) -> None:
    if is_demo:
        say(f"\nThe panel, signed in as the mine owner {MINE_OWNER.name}:\n  {url}{link(MINE_OWNER)}")
    say(f"\nThe API answers at {url}. Ctrl-C stops it.")
    if not is_demo:
        return
    owner, admin = _cookie(MINE_OWNER), _cookie(ADMIN)
    say(f"""
Session cookies, good for eight hours:
  mine owner {MINE_OWNER.name}: {owner}
  admin {ADMIN.name}: {admin}

curl -b '{owner}' {url}/crm/api/customer/{FIRST_CUSTOMER}/hosting-stats
curl -b '{admin}' -X POST {url}/crm/api/sync-all-hosting
curl -b '{admin}' {url}/crm/api/sync-status
""")


def _cookie(account: Account) -> str:
    secret = session_secrets()[0]
    return f"{settings().session_cookie}={session_cookie(secret, account.id, account.email, account.role)}"


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
