"""`make migrate`: bring the database of `DATABASE_URL`, the URL of its owner, to the bundle's schema."""

import sys

from crm_services.errors import AppError
from crm_services.migration import migrate
from crm_services.settings import parse_database_url
from local.environment import given_database

if __name__ == "__main__":
    url = given_database()
    if not url:
        sys.exit("DATABASE_URL is to name the CRM's database and the owner of its tables.")
    try:
        print("\n".join(migrate(parse_database_url(url))))
    except AppError as error:
        sys.exit(f"The database was not migrated: {error!r}")
