"""What runs between begin and commit: every statement of a request or of a chunk."""

from collections.abc import Callable
from typing import Any

from crm_services.base.errors import ConnectionLost, QueryFailed
from crm_services.postgres.connection import IDLE, IN_TRANSACTION, Connection, Question
from crm_services.postgres.hearing import Row

# PostgreSQL ends a statement then, unless its transaction says otherwise; and if it does not, it is given up later.
STATEMENT_SECONDS = 10
GRACE_SECONDS = 2.0
# What takes no time at all: a server that has not answered it by then will not answer.
AT_ONCE_SECONDS = 3.0

# Nothing of it is the server's own, or what another client of a pooler has left behind. It costs 10 µs. A policy that
# somebody has laid on the CRM's tables since the migration refuses (42501), instead of hiding rows without a word.
BEGIN = (
    "begin isolation level read committed read {access}; set local search_path = pg_catalog, pg_temp;"
    " set local row_security = off; set local statement_timeout = '{seconds}s'"
)
BEGUN = (b"BEGIN", b"SET", b"SET", b"SET")
ABORTED = "25P02"


class Transaction:
    """Begun with the first statement.

    `renew` makes another connection where this one may have died while it was idle: nothing is under way then.
    """

    def __init__(
        self,
        connection: Connection,
        renew: Callable[[ConnectionLost], Connection] | None = None,
        read_only: bool = False,
        statement_seconds: int = STATEMENT_SECONDS,
    ) -> None:
        self._connection = connection
        self._renew = renew
        self._read_only = read_only
        self._begin = BEGIN.format(access="only" if read_only else "write", seconds=statement_seconds)
        self._seconds = statement_seconds + GRACE_SECONDS
        self._is_open = True
        self._has_asked = False
        self.may_have_written = False
        self._say_begin()

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """All rows of a statement."""
        renew, self._renew = self._renew, None
        try:
            return self._rows(sql, parameters)
        except ConnectionLost as error:
            if renew is None:
                raise
            self._connection = renew(error)
        self._say_begin()
        return self._rows(sql, parameters)

    def row(self, sql: str, **parameters: object) -> Row:
        """The one row of a statement that always has one."""
        return self.rows(sql, **parameters)[0]

    def value(self, sql: str, **parameters: object) -> Any:
        """The first column of the first row, or None where there is no row."""
        rows = self.rows(sql, **parameters)
        return rows[0][0] if rows else None

    def ask(self, sql: str, **parameters: object) -> Callable[[], list[Row]]:
        """Send a statement; what is returned waits for its rows."""
        self._renew = None  # what is asked next builds on this one
        self._has_asked = True
        connection = self._connection
        question = connection.ask(sql, parameters, self._seconds)
        return lambda: connection.rows(question)

    def commit(self) -> None:
        """End the transaction early; what follows needs one of its own."""
        if not self._is_open:
            return
        if not self._has_asked:  # the begin waits for what it travels with
            self._connection.flush()
        self._connection.settle()
        if self._connection.has_failed:
            self.rollback()
            if self._read_only:
                return
            raise QueryFailed(ABORTED)
        self._is_open = False
        if self._read_only:
            self._end_reading()
            return
        self.may_have_written = True
        try:
            question = self._say("commit", b"COMMIT")
            self._connection.flush()
            self._connection.rows(question)
        except QueryFailed:
            self.may_have_written = False
            raise

    def rollback(self) -> None:
        """End the transaction and keep nothing of it."""
        if not self._is_open:
            return
        self._is_open = False
        self._say("rollback", b"ROLLBACK")
        self._connection.flush()
        if not self._read_only:
            self._connection.settle()

    def _end_reading(self) -> None:
        # There is nothing to lose, and so nothing to wait for; but what came unasked may have been taken for an answer.
        if self._connection.has_surplus():
            self._connection.close()
            raise ConnectionLost
        self._say("commit", b"COMMIT")
        self._connection.flush()

    def _say_begin(self) -> None:
        self._connection.say(self._begin, AT_ONCE_SECONDS, leaves=IN_TRANSACTION, tags=BEGUN)

    def _say(self, end: str, tag: bytes) -> Question:
        seconds = AT_ONCE_SECONDS if self._read_only else self._seconds
        return self._connection.say(end, seconds, leaves=IDLE, tags=(tag,))

    def _rows(self, sql: str, parameters: dict[str, object]) -> list[Row]:
        if not self._is_open:
            raise RuntimeError("the transaction has ended")
        self._has_asked = True
        if ";" in sql:  # several statements cannot be prepared
            question = self._connection.say(sql, self._seconds, leaves=IN_TRANSACTION)
            self._connection.flush()
        else:
            question = self._connection.ask(sql, parameters, self._seconds)
        return self._connection.rows(question)
