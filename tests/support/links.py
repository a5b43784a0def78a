"""A CRM whose links change every day, and a plain reckoning of who is linked, which shares no code with the bundle."""

import random

from pg8000.native import Connection

from tests.support.client import Client
from tests.support.crm import Crm

ROWS = """
select c.id, c.created_by_id, lower(c.email), c.user_account_id, l.confirmed_account_id, l.confirmed_by_owner,
       coalesce(l.refused_account_ids, '{}')
from crm_customers c left join crm_hosting.links l on l.customer_id = c.id
"""

# Customers and the linked ones; None: unknown.
Counts = tuple[int | None, int | None]


def reckoned(owner: Connection, whose: int | None, is_any: bool) -> Counts:
    """Customers and the linked ones of that owner (None: all), one by one."""
    accounts = {
        id_: (email, by) for id_, email, by in owner.run("select id, lower(email), created_by_id from user_access")
    }
    total = linked = 0
    for _, by, email, named, confirmed, is_his_word, refused in owner.run(ROWS):
        if whose not in {None, by}:
            continue

        def is_his(account: int, by: int = by) -> bool:
            return is_any or by is None or by in {account, accounts[account][1]}

        is_linked = (
            (confirmed in accounts and (not is_his_word or is_his(confirmed)))
            or (named in accounts and named not in refused)
            or any(email and email == of[0] and id_ not in refused and is_his(id_) for id_, of in accounts.items())
        )
        total, linked = total + 1, linked + bool(is_linked)
    return total, linked


class Mine:
    """A CRM in which something happens to links every day."""

    def __init__(self, client: Client, crm: Crm, admin: int) -> None:
        self.client, self.crm, self.admin = client, crm, admin
        self.chance = random.Random(23)  # noqa: S311
        self.owners = [crm.account(role="mining_site_owner") for _ in range(2)]
        self.customers = [crm.linked_customer(owner, quantity=n + 1) for n, owner in enumerate(self.owners)]
        self.kept = len(self.customers)  # so that each owner has a fleet on each day
        self.accounts: list[int] = []

    def day(self) -> None:
        """What happens on a day."""
        happens = ("account", "account", "customer", "customer", "customer", "email", "names", "confirm", "refuse",
                   "undo", "gone", "deleted", "switched off", "moves")  # fmt: skip
        for _ in range(8):
            getattr(self, f"_{self.chance.choice(happens).replace(' ', '_')}")()

    def _address(self) -> str:
        """One of few, so that they are shared and ambiguous, in any case."""
        letters = self.chance.choice(("first@mine.com", "second@mine.com", "third@mine.com", "nobody@mine.com"))
        return "".join(self.chance.choice((one, one.upper())) for one in letters)

    def _owner(self) -> int | None:
        return self.chance.choice([*self.owners, None])

    def _some(self, ids: list[int]) -> int | None:
        return self.chance.choice(ids) if ids else None

    def _account(self) -> None:
        self.accounts.append(self.crm.account(self._address(), created_by_id=self._owner()))
        if self.chance.random() < 0.6:  # the others have no machines: linked, and nothing to sync
            self.crm.miners(self.accounts[-1], 2)

    def _customer(self) -> None:
        self.customers.append(self.crm.customer(self._address(), self._owner()))

    def _set(self, column: str, value: object) -> None:
        customer = self._some(self.customers[self.kept :])
        self.crm.db.run(f"update crm_customers set {column} = :value where id = :id", value=value, id=customer)

    def _email(self) -> None:
        self._set("email", self.chance.choice([self._address(), None, ""]))

    def _names(self) -> None:
        self._set("user_account_id", self._some(self.accounts))

    def _moves(self) -> None:
        self._set("created_by_id", self._owner())

    def _says(self, method: str, more: str = "") -> None:
        customer, account = self._some(self.customers[self.kept :]), self._some(self.accounts)
        if customer and account:
            who = self.chance.choice([self.admin, *self.owners])
            path = f"/crm/api/customer/{customer}/hosting-link?account_id={account}{more}"
            assert self.client.ask(method, path, who).status_code < 500

    def _confirm(self) -> None:
        self._says("PUT")

    def _refuse(self) -> None:
        self._says("PUT", "&refuse=true")

    def _undo(self) -> None:
        self._says("DELETE")

    def _gone(self) -> None:
        if account := self._some(self.accounts):
            self.accounts.remove(account)
            self.crm.db.run("delete from user_miners where user_id = :id", id=account)
            self.crm.db.run("update crm_customers set user_account_id = null where user_account_id = :id", id=account)
            self.crm.db.run("delete from user_access where id = :id", id=account)

    def _deleted(self) -> None:
        if customer := self._some(self.customers[self.kept :]):
            self.customers.remove(customer)
            self.crm.db.run("delete from crm_customers where id = :id", id=customer)

    def _switched_off(self) -> None:
        self.crm.db.run("update user_access set is_active = not is_active where id = :id", id=self._some(self.accounts))
