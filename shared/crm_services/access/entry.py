"""Who asks, and whether he may: the first statement of a request, which sets what its transaction sees."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from crm_services.access.roles import SEES_ALL, Permission, role_of
from crm_services.base.errors import AccessDenied, NotAuthenticated, NotFound
from crm_services.postgres.database import Transaction

ENTER = """
select state, role, decision
from crm_hosting.enter(:user_id::integer, :customer_id::integer, :see_all::text[])
"""

# The same for the batch, which nobody asks for.
SCOPE_TO = "select crm_hosting.scope_to(:tenant_id::integer)"


@dataclass(frozen=True)
class Caller:
    """An account that has been let in: `tenant_id` is whose customers it sees, None for everybody's."""

    user_id: int
    tenant_id: int | None


def verify_resource_access(
    transaction: Transaction, user_id: int, permission: Permission, customer_id: int | None = None
) -> Callable[[], Caller]:
    """Ask whether the account may do that; from here on the transaction sees the account's customers only.

    What is returned waits for the answer and returns the caller, or raises: NotAuthenticated for an account that is
    unknown, inactive or expired, AccessDenied where the role lacks the permission or the customer is another's,
    NotFound where there is no such customer.
    """
    answer = transaction.ask(ENTER, user_id=user_id, customer_id=customer_id, see_all=SEES_ALL)

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
