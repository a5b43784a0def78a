"""What the server's refusals mean: which pass by themselves, and after which a connection is worth nothing."""

from collections.abc import Mapping

from crm_services.base.errors import PASSING, AppError, ConnectionLost, QueryFailed, Unavailable

# Starting up, shutting down, out of connections or memory.
UNAVAILABLE = ("08", "53", "57P")
# The server behind the connection is not, or no more, the one to speak to; or a pooler has put us before another one,
# which knows nothing of what was said to the first, or too much.
NOT_CARRIED = ("26000", "42P05")
GONE = ("08", "57P", "25006", "34000", *NOT_CARRIED)
# Said of a statement itself, these tell that the bundle's own objects are not (or no more) what it was written for: it
# is being migrated, or out of the way of the CRM's migration; or what a connection remembers is of before. With a
# context they were raised in a function or a trigger, and tell nothing of the kind.
OUTDATED = ("0A000", "3F000", "42501", "42703", "42883", "42P01")
ENDED_BY_SERVER = {"FATAL", "PANIC"}
# What the function that writes into the CRM's table is called in the context of an error.
WRITING = "write_rows"


def login_failure(fields: Mapping[str, str]) -> QueryFailed | Unavailable:
    """The refusal of a login."""
    sqlstate = fields.get("C", "")
    return Unavailable(reason=sqlstate) if sqlstate.startswith(UNAVAILABLE) else QueryFailed(sqlstate)


def failure(fields: Mapping[str, str]) -> QueryFailed | Unavailable:
    """The refusal of a statement; it loses its message, which may carry a row. After ConnectionLost all is over."""
    sqlstate = fields.get("C", "")
    if sqlstate.startswith(GONE) or fields.get("V") in ENDED_BY_SERVER:
        return ConnectionLost(reason=sqlstate)
    if sqlstate.startswith(UNAVAILABLE):
        return Unavailable(reason=sqlstate)
    return QueryFailed(sqlstate, fields.get("n"), _is_of_a_trigger(fields.get("W", "")))


def failure_of_ours(fields: Mapping[str, str]) -> QueryFailed | Unavailable:
    """The same of a statement of the bundle's, which was made for what the bundle has in the database."""
    failed = failure(fields)
    if isinstance(failed, QueryFailed) and failed.sqlstate in OUTDATED and "W" not in fields:
        return ConnectionLost(reason=failed.sqlstate)
    return failed


def _is_of_a_trigger(context: str) -> bool:
    # The innermost comes first; what is called how stays as it is in whatever language the server speaks.
    innermost, *others = context.split("\n")
    return WRITING not in innermost and any(WRITING in one for one in others)


def passes(error: AppError) -> bool:
    """Whether the same may well succeed at once, on another connection, or in a while."""
    return isinstance(error, Unavailable) or (isinstance(error, QueryFailed) and error.sqlstate.startswith(PASSING))
