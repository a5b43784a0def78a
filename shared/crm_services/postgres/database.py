"""The connection to PostgreSQL: the only file that knows the driver."""

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from pg8000.core import SYNC_MSG, Context
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, PreparedStatement, make_params

from crm_services.base.errors import ConnectionLost, QueryFailed, Unavailable
from crm_services.base.settings import settings
from crm_services.base.tls import database_tls_context
from crm_services.postgres.target import DatabaseTarget, database_target

CONNECT_TIMEOUT_SECONDS = 5
# A connection that has grown old is replaced between two requests, so that a failover or a changed password is met.
MAX_AGE_SECONDS = 600

LOGIN_REFUSED = "28"
# Starting up, shutting down, out of connections, killed by an administrator; read only, as a writer that was demoted.
UNAVAILABLE = ("08", "53", "57P", "25006")
# The server behind the connection is not, or no more, the one to speak to.
GONE = ("57P", "25006")

# Said of a statement itself, these tell that the bundle's own objects are not (or no more) what it was written for: it
# is being migrated, or out of the way of the CRM's migration; or what a connection remembers is of before. With a
# context they were raised in a function or a trigger, and tell nothing of the kind.
OUTDATED = ("0A000", "3F000", "42501", "42703", "42883", "42P01")

Row = list[Any]
Run = Callable[..., list[Row]]


class _Connection(Connection):  # type: ignore[misc]
    """The driver's, but that it need not wait: what was said is heard later, before the next answer at the latest."""

    _unheard: tuple[Context, ...] = ()

    def say(self, sql: str) -> None:
        """Send it with the next statement, or with the next flush."""
        self.send_QUERY(sql)
        self._unheard = (*self._unheard, Context(sql))

    def ask(self, statement: PreparedStatement, parameters: dict[str, object]) -> Context:
        """Send it; what is returned has the rows once it was heard."""
        context = Context(statement.statement, columns=statement.cols, input_funcs=statement.input_funcs)
        self.send_BIND(statement.name_bin, make_params(self.py_types, statement.make_vals(parameters)))
        self.send_EXECUTE()
        self._sock.write(SYNC_MSG)
        self.flush()
        self._unheard = (*self._unheard, context)
        return context

    def flush(self) -> None:
        """Send what was said."""
        self._sock.flush()

    def hear(self) -> None:
        """Wait for the answers to what was said."""
        while self._unheard:
            context, *others = self._unheard
            self._unheard = tuple(others)  # still to come, where this one is an error
            super().handle_messages(context)

    def close(self) -> None:
        """Let go of the socket at once: the driver leaves its stream open, and an error's traceback may hold that."""
        stream = self._sock
        try:
            super().close()
        finally:
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def handle_messages(self, context: Context) -> None:
        self._unheard = (*self._unheard, context)
        self.hear()


class Transaction:
    """What runs between begin and commit; every statement runs inside one."""

    def __init__(self, database: "Database", read_only: bool) -> None:
        self.database = database
        self._read_only = read_only
        self._is_open = True

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """All rows of a statement."""
        return self.database.run(sql, **parameters)

    def row(self, sql: str, **parameters: object) -> Row:
        """The one row of a statement that always has one."""
        return self.rows(sql, **parameters)[0]

    def ask(self, sql: str, **parameters: object) -> Callable[[], list[Row]]:
        """Send the transaction's first statement; what is returned waits for its rows."""
        return self.database.ask(sql, **parameters)

    def value(self, sql: str, **parameters: object) -> Any:
        """The first column of the first row, or None where there is no row."""
        rows = self.rows(sql, **parameters)
        return rows[0][0] if rows else None

    def commit(self) -> None:
        """End the transaction early; what follows needs one of its own."""
        self._end("commit")

    def rollback(self) -> None:
        """End the transaction and keep nothing of it."""
        self._end("rollback")

    def _end(self, how: str) -> None:
        if not self._is_open:
            return
        self._is_open = False
        if self._read_only:  # there is nothing to lose, and so nothing to wait for
            self.database.say(how)
        else:
            self.database.run(how)


class Database:
    """One connection, made when it is needed, kept between requests and replaced when it died."""

    def __init__(self) -> None:
        self._connection: _Connection | None = None
        self._connected_at = 0.0
        self._begin_with = "begin"
        self._is_reused = False  # and has not answered in this transaction yet
        self._prepared: dict[str, PreparedStatement] = {}

    @contextmanager
    def transaction(self, read_only: bool = False) -> Iterator[Transaction]:
        """A transaction: committed at the end, rolled back by an exception."""
        self._begin_with = "begin read only" if read_only else "begin"
        self._begin()
        transaction = Transaction(self, read_only)
        try:
            yield transaction
        except BaseException:
            with suppress(ConnectionLost):
                transaction.rollback()
            raise
        transaction.commit()

    def run(self, sql: str, **parameters: object) -> list[Row]:
        """The rows of a statement; the driver's errors become ours and lose their message, which may carry a row."""
        try:
            rows = self._run(sql, parameters)
        except ConnectionLost:
            if not self._is_reused:
                raise
            # It died while it was idle: nothing was under way, so a new one takes its place.
            self._open()
            rows = self._run(sql, parameters)
        self._is_reused = False
        return rows

    def ask(self, sql: str, **parameters: object) -> Callable[[], list[Row]]:
        """`run` in two steps: the statement is sent, and what is returned waits for its rows."""
        if not settings().prepare_statements:  # such a statement takes more than one turn
            found = self.run(sql, **parameters)
            return lambda: found
        is_reused, self._is_reused = self._is_reused, False  # what runs meanwhile builds on this one
        context = Context(sql)
        with suppress(ConnectionLost):
            context = self._try(lambda connection: connection.ask(self._prepared_on(connection, sql), parameters))

        def rows() -> list[Row]:
            with suppress(ConnectionLost):
                if context.error is not None:  # somebody else has heard it
                    self._raise(context.error)
                self._try(_Connection.hear)
                return context.rows or []
            self._is_reused = is_reused
            return self.run(sql, **parameters)

        return rows

    def say(self, sql: str) -> None:
        """Send a statement whose answer nobody waits for; a dead connection is dropped."""
        with suppress(ConnectionLost):
            self._try(lambda connection: connection.say(sql))
            self._try(_Connection.flush)

    def _run(self, sql: str, parameters: dict[str, object]) -> list[Row]:
        if ";" in sql or not settings().prepare_statements:  # several statements cannot be prepared
            return self._try(lambda connection: connection.run(sql, **parameters)) or []
        return self._try(lambda connection: self._prepared_on(connection, sql).run(**parameters)) or []

    def _prepared_on(self, connection: _Connection, sql: str) -> PreparedStatement:
        if sql not in self._prepared:
            self._prepared[sql] = connection.prepare(sql)
        return self._prepared[sql]

    def _try(self, do: Callable[[_Connection], Any]) -> Any:
        if self._connection is None:
            raise ConnectionLost
        try:
            return do(self._connection)
        except DatabaseError as error:
            self._raise(error)
        except (InterfaceError, OSError):
            self.close()
            raise ConnectionLost from None

    def close(self) -> None:
        """Drop the connection, alive or dead."""
        connection, self._connection, self._prepared = self._connection, None, {}
        if connection is not None:
            with suppress(InterfaceError, OSError):
                connection.close()

    def _begin(self) -> None:
        if self._connection is not None and not self._is_stale(self._connection):
            self._is_reused = True
            self._connection.say(self._begin_with)
        else:
            self.close()
            self._open()

    def _open(self) -> None:
        self._is_reused = False
        self._connection = self._connect()
        self._connected_at = time.monotonic()
        self._connection.say(self._begin_with)

    def _is_stale(self, connection: _Connection) -> bool:
        try:
            connection.hear()
        except (DatabaseError, InterfaceError, OSError):
            return True
        # Between requests the server has nothing more to say: a readable socket is a closed one.
        readable, _, _ = select.select([connection._usock], [], [], 0)
        return bool(readable) or time.monotonic() - self._connected_at > MAX_AGE_SECONDS

    def _connect(self) -> _Connection:
        target = database_target()
        try:
            return connect(target)
        except QueryFailed as error:
            if not error.sqlstate.startswith(LOGIN_REFUSED):
                raise
            refused = Unavailable(reason=error.sqlstate)
        renewed = database_target(refresh=True)  # the password may have been rotated
        if renewed == target:
            raise refused
        try:
            return connect(renewed)
        except QueryFailed as error:
            raise Unavailable(reason=error.sqlstate) from None

    def _raise(self, error: DatabaseError) -> NoReturn:
        failure = _failure(error)
        if isinstance(failure, QueryFailed) and failure.sqlstate in OUTDATED and "W" not in error.args[0]:
            failure = ConnectionLost(reason=failure.sqlstate)
        if isinstance(failure, Unavailable):
            self.close()
        raise failure from None


@contextmanager
def session(target: DatabaseTarget) -> Iterator[Run]:
    """A connection of its own, for whoever needs more than transactions: the migration."""
    connection = connect(target)

    def run(sql: str, **parameters: object) -> list[Row]:
        try:
            return connection.run(sql, **parameters) or []
        except DatabaseError as error:
            raise _failure(error) from None
        except (InterfaceError, OSError) as error:
            raise ConnectionLost(reason=type(error).__name__) from None

    try:
        yield run
    finally:
        with suppress(InterfaceError, OSError):
            connection.close()


def connect(target: DatabaseTarget) -> _Connection:
    """A new connection; the driver's errors become ours."""
    usock: socket.socket | None = None
    try:
        usock = _socket(target)
        return _Connection(
            target.user,
            host=target.host,
            port=target.port,
            database=target.database,
            password=target.password,
            sock=usock,
            ssl_context=database_tls_context() if target.tls else False,
            application_name="crm-hosting",
        )
    except (DatabaseError, InterfaceError, OSError) as error:
        if usock is not None:  # the driver gives it up, and may leave it open
            with suppress(OSError):
                socket.close(usock.detach())
        raise _refusal(error) from None


def _refusal(error: BaseException) -> QueryFailed | Unavailable:
    # The driver says good-bye to a server that has just refused us; where that fails, it hides the refusal.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DatabaseError):
            return _failure(cause)
        cause = cause.__context__
    return Unavailable(reason=type(error).__name__)


def _socket(target: DatabaseTarget) -> socket.socket:
    # The driver's own socket has no TCP_NODELAY, which costs 40 ms whenever a message spans two segments.
    if path := target.socket_path:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            raise
        return connection
    connection = socket.create_connection((target.host, target.port), CONNECT_TIMEOUT_SECONDS)
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


def _failure(error: DatabaseError) -> QueryFailed | Unavailable:
    fields = error.args[0]
    sqlstate = fields.get("C", "")
    if sqlstate.startswith(UNAVAILABLE):
        return ConnectionLost(reason=sqlstate) if sqlstate.startswith(GONE) else Unavailable(reason=sqlstate)
    return QueryFailed(sqlstate, fields.get("n"))


# One execution environment has one connection, whichever handler it serves.
database = Database()
