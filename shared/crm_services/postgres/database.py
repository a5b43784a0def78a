"""The database of an execution environment: one connection, made when it is needed, replaced when it died."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf

from crm_services.base.errors import ConnectionLost, QueryFailed, Unavailable
from crm_services.base.settings import settings
from crm_services.postgres.connecting import connect
from crm_services.postgres.connection import Connection
from crm_services.postgres.failures import NOT_CARRIED, failure_of_ours
from crm_services.postgres.target import database_target
from crm_services.postgres.transaction import STATEMENT_SECONDS, Transaction

__all__ = ["Database", "Transaction", "database"]

# A connection that has grown old is replaced between two requests, so that a failover or a changed password is met.
MAX_AGE_SECONDS = 600
LOGIN_REFUSED = "28"


class Database:
    """One connection, kept between requests.

    `until` is when whoever waits has to have an answer, by the monotonic clock; `commits` counts the transactions that
    may have written something: with one more than before, nothing is to be tried again.
    """

    def __init__(self) -> None:
        self.until = inf
        self.commits = 0
        self._connection: Connection | None = None
        self._connected_at = 0.0
        self._carries_statements = True

    @contextmanager
    def transaction(self, read_only: bool = False, statement_seconds: int = STATEMENT_SECONDS) -> Iterator[Transaction]:
        """A transaction: committed at the end, rolled back by an exception."""
        kept = self._kept()
        renew = self._renewed if kept else None
        transaction = Transaction(kept or self._open(), renew, read_only, statement_seconds)
        try:
            yield transaction
            transaction.commit()
        except BaseException as error:
            with suppress(ConnectionLost):
                transaction.rollback()
            self._learn(error)
            raise
        finally:
            self.commits += transaction.may_have_written

    def close(self) -> None:
        """Drop the connection, alive or dead, and what was learned with it."""
        self._drop()
        self._carries_statements = True

    def _renewed(self, error: ConnectionLost) -> Connection:
        self._learn(error)
        return self._open()

    def _learn(self, error: BaseException) -> None:
        # A pooler has put us before a server that has not what we prepared, or has it from another client.
        if isinstance(error, ConnectionLost) and error.fields.get("reason") in NOT_CARRIED:
            self._carries_statements = False

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _kept(self) -> Connection | None:
        connection = self._connection
        if connection is None:
            return None
        connection.until = self.until
        if time.monotonic() - self._connected_at > MAX_AGE_SECONDS or not connection.is_in_order:
            self._drop()
            return None
        return connection

    def _open(self) -> Connection:
        self._drop()
        keeps_statements = settings().prepare_statements and self._carries_statements
        self._connection = connection = self._connect(keeps_statements)
        connection.until = self.until
        self._connected_at = time.monotonic()
        return connection

    def _connect(self, keeps_statements: bool) -> Connection:
        target = database_target()
        try:
            return connect(target, self.until, keeps_statements, failure_of_ours)
        except QueryFailed as error:
            refused = Unavailable(reason=error.sqlstate)
            if not error.sqlstate.startswith(LOGIN_REFUSED):  # no right to connect, say, or no such database
                raise refused from None
        renewed = database_target(refresh=True)  # the password may have been rotated
        if renewed == target:
            raise refused
        try:
            return connect(renewed, self.until, keeps_statements, failure_of_ours)
        except QueryFailed as error:
            raise Unavailable(reason=error.sqlstate) from None


# One execution environment has one connection, whichever handler it serves.
database = Database()
