"""A connection to which several things can be said at once, and whose every answer belongs to its question."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import cycle
from math import inf
from typing import NoReturn

from crm_services.base.errors import AppError, ConnectionLost
from crm_services.postgres.driver import BrokenProtocol, Driver, parsed
from crm_services.postgres.hearing import Refused, Row, Statement, hear_commands, hear_state, hear_statement

# The network takes what is said, or is gone.
SENDING_SECONDS = 5.0

# What a refusal means, by its fields.
Failure = Callable[[Mapping[str, str]], AppError]

PARSE, BIND, DESCRIBE, EXECUTE, CLOSE, SYNC, QUERY = b"P", b"B", b"D", b"E", b"C", b"S", b"Q"
IDLE, IN_TRANSACTION, FAILED = b"I", b"T", b"E"


@dataclass
class Question:
    """Something that was said, and its answer once it was heard."""

    seconds: float  # by when its answer is there
    hear: Callable[["Question"], None]
    rows: list[Row] = field(default_factory=list)
    failure: AppError | None = None
    is_heard: bool = False


class Connection:
    """A login; whatever is not a refusal in order ends it.

    `until` is when whoever waits for the answers has to have them, by the monotonic clock.
    """

    def __init__(self, driver: Driver, keeps_statements: bool, failure: Failure) -> None:
        self._driver: Driver | None = driver
        self._keeps_statements = keeps_statements
        self._failure = failure
        self._statements: dict[str, Statement] = {}
        self._unheard: deque[Question] = deque()
        # Each answer ends as neither its neighbours' does: one that was doubled, or got lost, is not taken for another.
        self._endings = cycle((0, 1, 2))
        self._status = IDLE
        self.until = inf

    @property
    def has_failed(self) -> bool:
        """Whether nothing but a rollback can follow."""
        return self._status == FAILED

    @property
    def is_in_order(self) -> bool:
        """Whether it is idle and alive, and nothing has come that nobody asked for; waits for what was asked."""
        try:
            self.settle()
            return self._status == IDLE and not self.has_surplus()
        except ConnectionLost:
            return False

    def say(self, sql: str, seconds: float, leaves: bytes | None = None, tags: Sequence[bytes] = ()) -> Question:
        """Commands without parameters, sent with the next thing that is asked, or with `flush`.

        Where it is said, they leave the transaction in that state, and are answered by these tags.
        """
        self._saying(QUERY, sql.encode() + b"\0")
        return self._asked(Question(seconds, lambda question: self._hear_commands(question, leaves, tags)))

    def ask(self, sql: str, parameters: Mapping[str, object], seconds: float) -> Question:
        """Send a statement."""
        text, values = parsed(sql)
        bound = self._living.parameters(values(parameters))  # before anything is said: it may fail
        statement = self._statements.get(sql)
        is_new = statement is None
        if statement is None:
            statement = Statement(_name(sql) if self._keeps_statements else b"")
            if self._keeps_statements:
                self._statements[sql] = statement
            self._saying(PARSE, statement.name + b"\0" + text.encode() + b"\0\0\0")
            self._saying(DESCRIBE, b"S" + statement.name + b"\0")
        self._saying(BIND, b"\0" + statement.name + b"\0\0\0" + bound + b"\0\0")
        self._saying(EXECUTE, b"\0\0\0\0\0")
        ending = next(self._endings)
        for _ in range(ending):
            self._saying(CLOSE, b"P\0")
        self._saying(SYNC)
        asked = Question(seconds, lambda question: self._hear_statement(question, sql, statement, is_new, ending))
        self._asked(asked)
        self.flush()
        return asked

    def flush(self) -> None:
        """Send what was said."""
        stream = self._living.stream
        stream.deadline = min(time.monotonic() + SENDING_SECONDS, self.until)
        try:
            stream.flush()
        except OSError as error:
            self._lose(error)

    def rows(self, question: Question) -> list[Row]:
        """Wait for the answer; raises the first refusal of what was asked up to here."""
        while not question.is_heard:
            if failed := self._hear_next().failure:
                raise failed
        if question.failure:
            raise question.failure
        return question.rows

    def hear(self) -> None:
        """Wait for the answers to all that was said; raises the first refusal."""
        while self._unheard:
            if failed := self._hear_next().failure:
                raise failed

    def settle(self) -> None:
        """Wait for the answers to all that was said, whatever they are."""
        while self._unheard:
            self._hear_next()

    def has_surplus(self) -> bool:
        """Whether more has come than was heard: the end, or what nobody asked for where all was heard."""
        return self._living.stream.has_more()

    def close(self) -> None:
        """Let go of it, in whatever state."""
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    @property
    def _living(self) -> Driver:
        if self._driver is None:
            raise ConnectionLost
        return self._driver

    def _saying(self, kind: bytes, body: bytes = b"") -> None:
        self._living.say(kind, body)

    def _asked(self, question: Question) -> Question:
        self._unheard.append(question)
        return question

    def _hear_next(self) -> Question:
        stream = self._living.stream
        question = self._unheard.popleft()
        stream.deadline = min(time.monotonic() + question.seconds, self.until)
        try:
            question.hear(question)
        except Exception as error:  # whatever it was, the next answer would be another's
            self._lose(error)
        except BaseException:
            self.close()
            raise
        question.is_heard = True
        if isinstance(question.failure, ConnectionLost):
            self.close()
            raise question.failure
        return question

    def _hear_statement(self, question: Question, sql: str, statement: Statement, is_new: bool, ending: int) -> None:
        try:
            question.rows, status = hear_statement(self._living, statement, is_new, ending)
        except Refused as refused:
            if not statement.is_known:
                self._statements.pop(sql, None)
            if refused.is_late and self._status != IDLE:
                raise BrokenProtocol from None
            self._hear_refusal(question, refused)
        else:
            if status != self._status:
                raise BrokenProtocol

    def _hear_commands(self, question: Question, leaves: bytes | None, tags: Sequence[bytes]) -> None:
        try:
            question.rows, heard, status = hear_commands(self._living)
        except Refused as refused:
            self._hear_refusal(question, refused)
        else:
            if (tags and heard != list(tags)) or leaves not in {None, status}:
                raise BrokenProtocol
            self._status = status

    def _hear_refusal(self, question: Question, refused: Refused) -> None:
        question.failure = self._failure(refused.fields)
        if not isinstance(question.failure, ConnectionLost):  # after which nothing need follow
            self._status = hear_state(self._living)

    def _lose(self, error: Exception) -> NoReturn:
        self.close()
        raise ConnectionLost(reason=type(error).__name__) from None


def _name(sql: str) -> bytes:
    # The same for the same text and no other, whoever has prepared it: a pooler may put us before another's.
    return b"hosting_" + sha256(sql.encode()).hexdigest()[:32].encode()
