"""The CRM's database on a laptop: its tables, demo data, and the bundle's schema."""

from collections.abc import Callable
from pathlib import Path

from crm_services.base.settings import machine_source
from crm_services.postgres.migration import migrate
from crm_services.postgres.roles import ROLE
from crm_services.postgres.target import parse_database_url
from local import demo
from local.postgres import Server, connect, create_database

DATABASE = "crm"
UNFINISHED = "crm_unfinished"
TABLES = Path(__file__).with_name("crm.sql")


def prepare(server: Server, say: Callable[[str], None]) -> str:
    """Bring the server to a CRM with the bundle's schema; returns the URL for the bundle."""
    with connect(server.url("postgres", "postgres")) as db:
        names = [name for (name,) in db.run("select datname from pg_database")]
        if DATABASE not in names:
            # Under another name until it is complete, so that a start which was killed is repeated.
            db.run(f"drop database if exists {UNFINISHED}")
            say("Creating the CRM's tables and the demo data …")
            _fill(server)
            db.run(f"alter database {UNFINISHED} rename to {DATABASE}")
        else:
            say("The CRM's data of the last run are kept.")
    owner_url = server.url(DATABASE)
    demo.refresh(owner_url)
    say("Bringing the database to the bundle's schema …")
    changes = migrate(parse_database_url(owner_url), machine_source=machine_source())
    say(f"  {len(changes)} changes, which `make migrate` would name" if changes else "  it has it already")
    return server.url(DATABASE, ROLE)


def _fill(server: Server) -> None:
    create_database(server, UNFINISHED)
    url = server.url(UNFINISHED)
    with connect(url) as db:
        db.run(TABLES.read_text(encoding="utf-8"))
    demo.load(url)
