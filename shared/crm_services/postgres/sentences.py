"""What PostgreSQL's refusals mean to whoever migrates."""

from collections.abc import Iterator
from contextlib import contextmanager

from crm_services.base.errors import MigrationRefused, QueryFailed
from crm_services.postgres.target import DatabaseTarget

LOCKED = (
    "The CRM held a lock on its tables all the while, for minutes on end. Run it again when a "
    "long report or a forgotten session (pg_stat_activity) has ended."
)
SENTENCES = {
    "55P03": LOCKED,
    "40P01": LOCKED,
    "28P01": "The server refused the password of {user}: it is the one of MigrationSecretArn (or DATABASE_URL).",
    "28000": "The server refused the login of {user}: pg_hba.conf may not let it in from here, or not without TLS.",
    "3D000": "There is no database {database} on {host}.",
    "42501": "{user} lacks a right that the migration needs; the server's log says which. Log in as the owner of the "
    "CRM's tables, with createrole.",
    "2BP01": "Something that is not the bundle's rests on its views or functions (a view of somebody's, say; the "
    "server's log names it): drop it, and make it again afterwards.",
    "25006": "The server is read only: {host} is not, or not any more, the writer.",
}
ELSE = (
    "PostgreSQL refused a statement of the migration: SQLSTATE {sqlstate}{constraint}; the server's log says which and "
    "why. What is half done is taken up when it is run again. An event trigger of somebody's may have failed: they "
    "run with the migration's search path, and have to name schemas."
)


@contextmanager
def in_sentences(owner: DatabaseTarget) -> Iterator[None]:
    """Raise what PostgreSQL refuses as MigrationRefused, with a sentence that a person can use."""
    try:
        yield
    except QueryFailed as error:
        constraint = f" ({error.constraint})" if error.constraint else ""
        sentence = SENTENCES.get(error.sqlstate, ELSE)
        known = {"user": owner.user, "database": owner.database, "host": owner.host}
        raise MigrationRefused(sentence.format(sqlstate=error.sqlstate, constraint=constraint, **known)) from error
