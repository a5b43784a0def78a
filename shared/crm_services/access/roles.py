"""Who may do what: roles and permissions as one table."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum


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


def role_of(name: str) -> Role:
    """The role of that name, older names included; an unknown one is a guest."""
    return ROLES.get(OLDER_NAMES.get(name, name), ROLES["guest"])
