"""`make invoke` and `make api`: the built functions in containers, on the database of this machine.

python -m local.sam invoke FUNCTION [EVENT]     FUNCTION is the name of a file in functions/
python -m local.sam api [PORT]
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crm_services.postgres.roles import MARKET_ROLE, ROLE
from local import events
from local.containers import HOST, Missing, listen_addresses, options, require_docker
from local.cookies import session_cookie
from local.crm import DATABASE, prepare
from local.environment import DATABASE_DIRECTORY, EVENTS, TEMPLATE, given_database
from local.people import ADMIN, FIRST_CUSTOMER, MINE_OWNER
from local.postgres import DidNotStart, InUse, Server, server
from local.routes import functions
from local.servers import NotToBeHad

SAM = [str(Path(sys.executable).with_name("sam")), "local"]
Variables = dict[str, dict[str, str]]


def invoke(module: str, event: Path | None = None) -> int:
    """Run one function once, with its event of events/ unless another is named."""
    event = event or EVENTS / f"{module}.json"
    if not event.exists():
        raise Missing(f"There is no {event}.")
    return _sam("invoke", function_name(module), "--event", str(event))


def api(port: str = "3000") -> int:
    """Serve the template's API until Ctrl-C."""
    for person in (MINE_OWNER, ADMIN):
        print(f"{person.name}: session={api_cookie(person.id)}", file=sys.stderr)
    print(f"http://127.0.0.1:{port}/crm/api/customer/{FIRST_CUSTOMER}/hosting-stats\n", file=sys.stderr)
    return _sam("start-api", "--port", port, "--warm-containers", "LAZY")


def function_name(module: str) -> str:
    """The resource whose handler is in that file of functions/."""
    for name, resource in functions(TEMPLATE).items():
        if resource["Properties"]["Handler"].partition(".")[0] == module:
            return name
    raise Missing(f"The template has no function whose handler is in functions/{module}.py.")


def api_cookie(user_id: int) -> str:
    """A session for `sam local start-api`, which tells the time of a request in seconds where AWS has milliseconds.

    By the session's clock it is January 1970, and a day lasts 86 seconds.
    """
    return session_cookie(events.SECRET, user_id, at=time.time() / 1000)


def variables(postgres: Server) -> Variables:
    """The environment of the functions: what the template names, with values for this machine."""
    return _variables(
        postgres.url(DATABASE, ROLE, HOST),
        MigrateFunction=postgres.url(DATABASE, host=HOST),
        MarketRefreshFunction=postgres.url(DATABASE, MARKET_ROLE, HOST),
    )


def _variables(url: str, **own_urls: str) -> Variables:
    every = {
        "DATABASE_URL": url,
        "SESSION_SECRET": events.SECRET,
        "LINK_SCOPE": "any",
        "PUBLIC_ORIGIN": f"https://{events.HOST}",
        "ALLOWED_ORIGINS": "",
    }
    return {name: every | {"DATABASE_URL": own_urls.get(name, url)} for name in functions(TEMPLATE)}


def _sam(*words: str) -> int:
    require_docker()
    with _database() as found, tempfile.TemporaryDirectory() as directory:
        return subprocess.run([*SAM, *words, *options(found, Path(directory))], check=False).returncode


@contextmanager
def _database() -> Iterator[Variables]:
    if given := given_database():  # as a container reaches it, and for `migrate` as its owner
        yield _variables(given)
        return
    with server(DATABASE_DIRECTORY, listen=listen_addresses(), port=free_port()) as postgres:
        prepare(postgres, lambda line: print(line, file=sys.stderr))
        yield variables(postgres)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def main(words: list[str]) -> int:
    """The command that the words name; returns its exit status."""
    match words:
        case ["invoke", module]:
            return invoke(module)
        case ["invoke", module, event]:
            return invoke(module, Path(event))
        case ["api"]:
            return api(os.environ.get("PORT") or "3000")
    sys.exit(__doc__)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Missing, InUse, DidNotStart, NotToBeHad) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
