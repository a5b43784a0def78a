"""`make migrate`, `detach` and `unmigrate`: the bundle's schema into the database of `DATABASE_URL`, or out of it."""

import sys

from crm_services.base.errors import AppError, MigrationRefused
from crm_services.base.settings import machine_source, snapshot_time_zone
from crm_services.postgres.migration import detach, migrate, unmigrate
from crm_services.postgres.roles import bundle_login, market_login
from crm_services.postgres.target import DatabaseTarget, parse_database_url
from local.environment import given_database


def _migrate(owner: DatabaseTarget) -> list[str]:
    return migrate(owner, bundle_login(), market_login(), machine_source(), snapshot_time_zone())


def _unmigrate(owner: DatabaseTarget) -> list[str]:
    return unmigrate(owner, bundle_login(), market_login())


ACTIONS = {"migrate": _migrate, "detach": detach, "unmigrate": _unmigrate}

if __name__ == "__main__":
    url = given_database()
    if not url:
        sys.exit("DATABASE_URL is to name the CRM's database and the owner of its tables.")
    try:
        changes = ACTIONS[sys.argv[1]](parse_database_url(url))
    except MigrationRefused as refused:
        sys.exit(str(refused))
    except AppError as error:
        sys.exit(f"The database was left as it was, or half way: run it again. {error!r}")
    print("\n".join(changes) or "Nothing to do.")
