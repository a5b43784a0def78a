"""What PostgreSQL's refusals mean to whoever migrates."""

from collections.abc import Iterator
from contextlib import contextmanager

from crm_services.base.errors import ConnectionLost, MigrationRefused, QueryFailed, Unavailable
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
    "53300": "The server has no connection left for {user}: end some of those that are idle (pg_stat_activity), or let "
    "there be more (max_connections, or the limit of the role or of the database).",
    "08P01": "What answers on {host} is a pooler, and refuses (08P01): it has no connection left, does not know {user} "
    "or {database}, or lets no session do what the migration does; its log says which. Let the migration log in at the "
    "server itself.",
    "57P03": "The server on {host} takes no connections now: it is starting up, shutting down, or recovering. Run it "
    "again when it does.",
}
UNREACHED = "There is no way to the database {database} on {host}, port {port}: {reason}. Nothing was changed."
LOST = (
    "The connection to {host} ended amid the migration ({reason}). What is half done is taken up when it is run again."
)
ELSE = (
    "PostgreSQL refused a statement of the migration: SQLSTATE {sqlstate}{constraint}; the server's log says which and "
    "why. What is half done is taken up when it is run again. An event trigger of somebody's may have failed: they "
    "run with the migration's search path, and have to name schemas."
)


@contextmanager
def in_sentences(owner: DatabaseTarget) -> Iterator[None]:
    """Raise what PostgreSQL refuses as MigrationRefused, with a sentence that a person can use."""
    known = {"user": owner.user, "database": owner.database, "host": owner.host}
    try:
        yield
    except QueryFailed as error:
        constraint = f" ({error.constraint})" if error.constraint else ""
        sentence = SENTENCES.get(error.sqlstate, ELSE)
        raise MigrationRefused(sentence.format(sqlstate=error.sqlstate, constraint=constraint, **known)) from error
    except Unavailable as error:
        reason = str(error.fields.get("reason") or "it ended without a word")
        # A step of the way there is told as "step: why", a refusal of the server's by its SQLSTATE.
        other = LOST if isinstance(error, ConnectionLost) else UNREACHED if ": " in reason else ELSE
        sentence = SENTENCES.get(reason, other)
        told = sentence.format(reason=reason, sqlstate=reason, constraint="", port=owner.port, **known)
        raise MigrationRefused(told) from error
