"""What people say of links: this account, not that one, or neither any more; and many of them at once."""

import json
from typing import Any, Literal

from crm_services.access.entry import Caller
from crm_services.base.errors import AccessDenied, AccountRefused, NotFound, QueryFailed
from crm_services.base.messages import Language
from crm_services.base.settings import settings
from crm_services.links.listing import link_of
from crm_services.links.matching import NAMED, NAMED_ID, OWNERS, SAME_KEY
from crm_services.postgres.database import Transaction

Verdict = Literal["confirmed", "refused", "undone"]

# What set_link says where the customer or the account is not the caller's.
ANOTHERS = "42501"
# And where somebody who sees all has refused the account, to who does not.
REFUSED = "55000"
SET_LINK = """
select crm_hosting.set_link(
  :caller::integer, :customer_id::integer, :account_id::integer, :verdict::text, :link_any::boolean)
"""

# Whether the caller may see the account: who sees all customers any, others their own and those that they created.
# And whether the customer's e-mail leads there, or somebody has spoken of it, which is enough in link scope `any`.
VISIBLE = f"""
select :tenant_id::integer is null or :tenant_id::integer in (a.id, a.created_by_id),
       coalesce(c.email_key is not null and {SAME_KEY}, false)
         or coalesce(a.id = c.confirmed_account_id or a.id = any (c.refused_account_ids), false)
from crm_hosting.accounts a, crm_hosting.customers c
where a.id = :account_id::integer and c.id = :customer_id::integer
"""

# Customers that link scope `tenant` leaves unlinked although an account has exactly their e-mail: an account that
# nobody created may be confirmed for them, if it is the only one and no customer of another owner has the same e-mail,
# nor is linked to it already.
HELD_BACK = f"""
with matching as materialized (
  select c.id, c.name, c.created_by_id as owner_id, a.id as account_id, a.created_by_id as creator_id,
         count(*) over (partition by c.id) as accounts,
         coalesce(bool_or({OWNERS}) over (partition by c.id), false) as is_linked
  from crm_hosting.customers c {NAMED} join crm_hosting.accounts a on {SAME_KEY}
  where {NAMED_ID} is null and not :link_any::boolean
), claimed as materialized (
  select account_id from (
    select account_id, owner_id from matching
    union all
    select {NAMED_ID}, c.created_by_id from crm_hosting.customers c {NAMED} where {NAMED_ID} is not null
  ) every group by account_id having count(distinct owner_id) > 1
), held as materialized (
  select id, name, owner_id, account_id,
         case when accounts > 1 then 'ambiguous' when creator_id is not null then 'created_by_another'
              when account_id in (select account_id from claimed) then 'claimed_twice' else 'exact' end as verdict
  from matching where not is_linked
), chosen as materialized (
  select * from held where verdict = 'exact' and owner_id = coalesce(:owner_id::integer, owner_id)
  order by id limit :limit::integer
), confirmed as materialized (
  select count(*) filter (where crm_hosting.set_link(
    :caller::integer, id::integer, account_id::integer, 'confirmed', true)) as customers
  from chosen where not :dry_run::boolean
)
select (select count(*) from chosen), (select customers from confirmed),
       count(distinct id) filter (where verdict = 'exact'), count(distinct id) filter (where verdict = 'ambiguous'),
       count(distinct id) filter (where verdict = 'created_by_another'),
       count(distinct id) filter (where verdict = 'claimed_twice'),
       (select coalesce(json_agg(json_build_object('customer_id', id, 'name', name, 'owner_id', owner_id,
          'account_id', account_id) order by id), '[]')::text from (select * from chosen order by id limit 100) first)
from held where owner_id = coalesce(:owner_id::integer, owner_id)
"""
# In one transaction, within the time that a request has.
MOST_AT_ONCE = 5_000


def choose(  # noqa: PLR0913, PLR0917 (who, what, and in which language)
    transaction: Transaction,
    caller: Caller,
    language: Language,
    customer_id: int,
    account_id: int | None,
    verdict: Verdict,
) -> dict[str, Any]:
    """Keep what the caller says of the customer's link; how it stands then, as `LinkSchema`.

    Raises NotFound for an account that there is not, or that the caller may not see, AccessDenied for one that is
    another's to link, and AccountRefused to an owner for one that somebody who sees all customers has refused.
    """
    if verdict != "undone" and not _may_see(transaction, caller, language, customer_id, account_id):
        raise NotFound("account_not_found")
    try:
        transaction.rows(
            SET_LINK,
            caller=caller.user_id,
            customer_id=customer_id,
            account_id=account_id,
            verdict=verdict,
            link_any=settings().link_any,
        )
    except QueryFailed as error:
        if error.sqlstate == ANOTHERS:
            raise AccessDenied from None
        if error.sqlstate == REFUSED:
            raise AccountRefused from None
        raise
    return link_of(transaction, caller, language, customer_id)


def confirm_held_back(transaction: Transaction, caller: Caller, owner_id: int | None, dry_run: bool) -> dict[str, Any]:
    """Confirm what link scope `tenant` holds back and leaves no doubt; what was, or would be, confirmed, and what not.

    Raises AccessDenied for who does not see all customers.
    """
    if caller.tenant_id is not None:
        raise AccessDenied
    chosen, confirmed, exact, ambiguous, created_by_another, claimed_twice, first = transaction.row(
        HELD_BACK,
        caller=caller.user_id,
        owner_id=owner_id,
        dry_run=dry_run,
        limit=MOST_AT_ONCE,
        link_any=settings().link_any,
    )
    return {
        "confirmed": chosen if dry_run else confirmed,
        "remaining": exact - chosen,
        "ambiguous": ambiguous,
        "created_by_another": created_by_another,
        "claimed_twice": claimed_twice,
        "links": json.loads(first),
    }


def _may_see(
    transaction: Transaction, caller: Caller, language: Language, customer_id: int, account_id: int | None
) -> bool:
    rows = transaction.rows(VISIBLE, tenant_id=caller.tenant_id, account_id=account_id, customer_id=customer_id)
    if not rows:
        return False
    [[is_visible, is_known]] = rows
    if is_visible or not settings().link_any:
        return bool(is_visible)
    if is_known:
        return True
    ideas = link_of(transaction, caller, language, customer_id)["suggestions"]
    return any(idea["account_id"] == account_id for idea in ideas)
