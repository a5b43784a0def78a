"""`make migrate` and `make unmigrate`: bring the bundle's schema to the database of `DATABASE_URL`, or take it away."""

import sys

from crm_services.base.errors import AppError
from crm_services.postgres.migration import migrate, unmigrate
from crm_services.postgres.target import parse_database_url
from local.environment import given_database

ACTIONS = {"migrate": migrate, "unmigrate": unmigrate}

if __name__ == "__main__":
    url = given_database()
    if not url:
        sys.exit("DATABASE_URL is to name the CRM's database and the owner of its tables.")
    try:
        changes = ACTIONS[sys.argv[1]](parse_database_url(url))
    except AppError as error:
        sys.exit(f"The database was left as it was, or half way: run it again. {error!r}")
    print("\n".join(changes) or "Nothing to do.")
