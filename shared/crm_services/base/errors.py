"""What can go wrong. `http.statuses` says which status each is answered with."""

# Somebody else was in the way, or the server busy: serialisation, deadlock, a time limit, a lock's time limit.
PASSING = ("40", "57014", "55P03")


class AppError(Exception):
    """An expected failure: `message` names a text in `messages`, `fields` fill it in."""

    message = "internal"

    def __init__(self, message: str | None = None, **fields: object) -> None:
        self.message = message or self.message
        self.fields = fields
        super().__init__(self.message)


class BadParameter(AppError):
    """A parameter is outside of what it may be."""

    message = "bad_parameter"


class NotAuthenticated(AppError):
    """No session, or one that does not count: forged, expired, or of an account that is switched off."""

    message = "not_authenticated"


class AccessDenied(AppError):
    """The caller may not do this, or not to this customer."""

    message = "access_denied"


class NotFound(AppError):
    """There is no such customer, or nothing hosted to speak of."""

    message = "not_found"


class Conflict(AppError):
    """A run of the same scope is under way."""

    message = "run_under_way"


class TooSoon(AppError):
    """The scope was synchronised a moment ago; `seconds` says when it may be asked for again."""

    message = "too_soon"


class CustomerBusy(Conflict):
    """Somebody else has the customer's record locked."""

    message = "customer_busy"


class CustomerRefused(Conflict):
    """A column, constraint or trigger of the CRM does not take the customer's figures."""

    message = "customer_refused"


class AccountRefused(Conflict):
    """Somebody who sees all customers has refused the account for this one: no owner takes that back."""

    message = "refused_for_all"


class Unavailable(AppError):
    """The database or a secret cannot be reached; the caller may try again. `reason` is for the log alone."""

    message = "unavailable"

    def __str__(self) -> str:
        return f"{self.message} ({self.fields['reason']})" if self.fields.get("reason") else self.message


class ConnectionLost(Unavailable):
    """The connection died: nothing is known of the transaction that was under way."""


class MissingSetting(AppError):
    """A setting without a default is not there; `str()` names it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.args = (f"the setting {name} is missing",)


class UnusableSetting(AppError):
    """A setting is not what it is to be; `str()` names it and tells nothing of its value."""

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__()
        self.args = (f"the setting {name} is not {wanted}",)


class MigrationRefused(AppError):
    """The database is not one that can be migrated; `str()` says what it lacks and how to mend it."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.args = (reason,)


class QueryFailed(AppError):
    """PostgreSQL refused a statement. It keeps the SQLSTATE and the constraint; the message may carry the row.

    `of_a_trigger`: it was raised in a trigger of the CRM's, while the sync wrote a row.
    """

    def __init__(self, sqlstate: str, constraint: str | None = None, of_a_trigger: bool = False) -> None:
        super().__init__()
        self.args = (sqlstate, constraint)
        self.sqlstate = sqlstate
        self.constraint = constraint
        self.of_a_trigger = of_a_trigger

    @property
    def is_fault_of_a_row(self) -> bool:
        """Whether a column, constraint or trigger refused the data of a row: without it the statement may do."""
        if self.of_a_trigger:  # whose errors have what SQLSTATE its author liked
            return not self.sqlstate.startswith(PASSING)
        return self.sqlstate.startswith(("22", "23", "P0001"))
