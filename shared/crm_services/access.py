"""Who may do what: roles and permissions as one table."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from functools import cache

from crm_services import queries
from crm_services.database import Transaction
from crm_services.errors import AccessDenied, NotAuthenticated, NotFound


class Permission(Enum):
    """What an endpoint asks of its caller."""

    VIEW = "view"
    SYNC = "sync"


@dataclass(frozen=True)
class Role:
    """What an account of this role may do, and whether to every customer or to its own."""

    permissions: AbstractSet[Permission]
    sees_all: bool = False


ROLES = {
    "owner": Role({Permission.VIEW, Permission.SYNC}, sees_all=True),
    "admin": Role({Permission.VIEW, Permission.SYNC}, sees_all=True),
    "mining_site_owner": Role({Permission.VIEW, Permission.SYNC}),
    "operator": Role({Permission.VIEW}),
    "client": Role({Permission.VIEW}),
    "guest": Role(frozenset()),
}

# Older names that rows still hold.
OLDER_NAMES = {
    "super_admin": "owner",
    "tenant_owner": "owner",
    "tenant_admin": "admin",
    "developer": "admin",
    "finance": "admin",
    "mining_site": "mining_site_owner",
    "site_manager": "mining_site_owner",
    "user": "client",
    "customer": "client",
    "api_client": "client",
    "investor": "client",
    "trader": "client",
    "readonly": "client",
}

# As PostgreSQL writes an array: made here once, where the driver would make it anew for each request.
SEES_ALL = f"{{{','.join(name for name in (*ROLES, *OLDER_NAMES) if ROLES[OLDER_NAMES.get(name, name)].sees_all)}}}"


@dataclass(frozen=True)
class Caller:
    """An account that has been let in: `tenant_id` is whose customers it sees, None for everybody's."""

    user_id: int
    tenant_id: int | None


def role_of(name: str) -> Role:
    """The role of that name, older names included; an unknown one is a guest."""
    return ROLES.get(OLDER_NAMES.get(name, name), ROLES["guest"])


def verify_resource_access(
    transaction: Transaction, user_id: int, permission: Permission, customer_id: int | None = None
) -> Callable[[], Caller]:
    """Ask whether the account may do that; from here on the transaction sees the account's customers only.

    What is returned waits for the answer and returns the caller, or raises: NotAuthenticated for an account that is
    unknown, inactive or expired, AccessDenied where the role lacks the permission or the customer is another's,
    NotFound where there is no such customer.
    """
    answer = transaction.ask(queries.ENTER, user_id=user_id, customer_id=customer_id, see_all=SEES_ALL)

    @cache
    def verified() -> Caller:
        [(state, role_name, decision)] = answer()
        if state != "active":
            raise NotAuthenticated
        role = role_of(role_name)
        if permission not in role.permissions:
            raise AccessDenied
        if decision == "missing":
            raise NotFound("customer_not_found")
        if decision == "other":
            raise AccessDenied
        return Caller(user_id, None if role.sees_all else user_id)

    return verified
