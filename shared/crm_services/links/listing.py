"""The customers in scope with what each is linked to, by what, or why it is not."""

import json
from typing import Any, Literal

from crm_services.access.customers import next_customers, next_found, searched
from crm_services.access.entry import Caller
from crm_services.base.messages import Language, text
from crm_services.base.settings import settings
from crm_services.links.findings import kinds_of
from crm_services.links.matching import LINK, NAMES_NOBODY, SAME_KEY, TENANTS
from crm_services.links.suggestions import suggestions
from crm_services.postgres.database import Transaction

# What can be asked for. "gone" is no state of its own: what names nobody may be linked by its e-mail all the same.
State = Literal["linked", "unlinked", "ambiguous", "suggested", "lost", "shared", "gone"]

LINKED = {"linked": True, "unlinked": False, "suggested": False, "lost": False, "ambiguous": True, "shared": True}
# So many customers are looked at for a page, few at first, and suggestions looked for of so many: what is rarer than
# that comes in short pages, each with its `next`. Of those that a finding names all are searched.
BLOCKS, SEARCHED, SUGGESTED = (200, 4_000), 1_000_000, 20

# A page's customers are few, and each account is found by an index, whatever the planner takes the scope for.
PREPARE_PAGE = """
set local enable_hashjoin = off;
set local enable_mergejoin = off;
set local enable_seqscan = off;
set local plan_cache_mode = force_generic_plan
"""

# Of the scope's customers after an id the next with one of those findings: rare states are looked for among them, as of
# the last sync. Each finding's customer is looked up by itself: joined, all of the scope would be read for each.
_FOUND = """
select distinct found.customer_id
from unnest(:kinds::text[]) as k (kind)
cross join lateral (
  select f.customer_id from crm_hosting.findings f
  where {own} and f.kind = k.kind and f.customer_id > :after::integer order by 1 limit :size::integer
) found
order by 1 limit :size::integer
"""
FOUND = _FOUND.format(own="(select true from crm_hosting.customers c where c.id = f.customer_id)")
FOUND_OF_TENANT = _FOUND.format(own=f"f.customer_id = any ({TENANTS})")

# Customers that are linked or are not: to what, and what there is to say of it.
_LINKS = f"""
with page as materialized (
  select c.*, link.account_id, link.candidates, confirmed.id as confirmed_id, named.id as named_id,
         {NAMES_NOBODY} as names_nobody
  from (
    select c.* from crm_hosting.customers c
    where {{which}}
      and {searched("c.name || ' ' || coalesce(c.company, '') || ' ' || coalesce(c.email, '')")}
    offset 0
  ) c {LINK}
  where :linked::boolean is null or (link.account_id is not null) = :linked::boolean
  order by c.id limit :limit::integer
)
select c.id, c.name, c.company, c.email, c.email_key is not null, c.created_by_id,
       c.account_id, a.name, a.email, a.is_active,
       case when c.account_id is null then null when c.account_id = c.confirmed_id then 'confirmed'
            when c.account_id = c.named_id then 'crm' else 'email' end,
       c.candidates, c.names_nobody, c.hosting_synced_at is not null,
       exists (select from crm_hosting.findings f where f.customer_id = c.id and f.kind = any (:shared::text[])),
       case when c.account_id is null then (select count(*) from crm_hosting.accounts a where {SAME_KEY}) else 0 end,
       coalesce(c.refused_account_ids, array[]::integer[]),
       (select coalesce(json_agg(json_build_object(
          'changed_by', h.changed_by, 'changed_at', to_char(h.changed_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
          'before', h.before, 'after', h.after) order by h.id desc), '[]')::text
        from (select * from crm_hosting.link_history h where h.customer_id = c.id order by h.id desc limit 10) h)
from page c left join crm_hosting.accounts a on a.id = c.account_id
order by c.id
"""
LINKS_OF_RANGE = _LINKS.format(which="c.id > :after::integer and c.id <= :upto::integer")
LINKS_OF_THESE = _LINKS.format(which="c.id = any (:ids::integer[])")


def links_page(  # noqa: PLR0913, PLR0917 (each is a filter of its own)
    transaction: Transaction,
    caller: Caller,
    language: Language,
    state: State | None,
    search: str | None,
    after: int,
    limit: int,
) -> tuple[list[dict[str, Any]], int | None]:
    """The next so many customers of that state, as `LinkSchema`, and the id to go on after (None at the end)."""
    asked = {"linked": LINKED.get(state or ""), **_given(caller)}
    if kinds := kinds_of(state or "", caller.tenant_id):
        transaction.rows(PREPARE_PAGE)
        size = SEARCHED if search else limit
        find = FOUND if caller.tenant_id is None else FOUND_OF_TENANT
        those = [id_ for (id_,) in transaction.rows(find, kinds=kinds, after=after, size=size)]
        found = transaction.rows(LINKS_OF_THESE, ids=those, search=search, limit=limit, **asked)
        upto, is_last = max(those, default=0), len(those) < size
    else:
        looked_at = max(limit, SUGGESTED) if state == "suggested" else limit
        found, upto, is_last = [], after, False
        for size in BLOCKS if state or search else (limit,):
            block, upto, is_last = _block(transaction, search, upto, size)
            transaction.rows(PREPARE_PAGE)
            statement = LINKS_OF_THESE if "ids" in block else LINKS_OF_RANGE
            found += transaction.rows(statement, search=None, limit=looked_at - len(found), **block, **asked)
            if is_last or len(found) == looked_at:
                break
        if len(found) == looked_at:
            upto, is_last = found[-1][0], False
    rows = _shown(transaction, caller, language, found)
    if state == "suggested":
        rows = [row for row in rows if row["suggestions"]]
    if len(rows) >= limit:
        return rows[:limit], rows[limit - 1]["customer_id"]
    return rows, None if is_last else upto


def _block(transaction: Transaction, search: str | None, after: int, size: int) -> tuple[dict[str, Any], int, bool]:
    """The next so many customers that are searched for, by id or as a range, the last one's id, and if none is left."""
    if search:
        found = next_found(transaction, search, after, size)
        return {"ids": found}, max(found, default=after), len(found) < size
    count, upto, ids = next_customers(transaction, after, size)
    return {"after": after, "upto": upto} if ids is None else {"ids": ids}, upto, count < size


def link_of(transaction: Transaction, caller: Caller, language: Language, customer_id: int) -> dict[str, Any]:
    """The one customer, as `LinkSchema`."""
    transaction.rows(PREPARE_PAGE)
    found = transaction.rows(LINKS_OF_THESE, ids=[customer_id], search=None, linked=None, limit=1, **_given(caller))
    return _shown(transaction, caller, language, found)[0]


def _given(caller: Caller) -> dict[str, Any]:
    return {"link_any": settings().link_any, "shared": kinds_of("shared", caller.tenant_id)}


def _shown(
    transaction: Transaction, caller: Caller, language: Language, found: list[list[Any]]
) -> list[dict[str, Any]]:
    rows = [_described(row, language) for row in found]
    fields = {row["customer_id"]: row["email"] for row in rows if row["account"] is None}
    ideas = suggestions(transaction, caller, fields, language) if fields else {}
    for row in rows:
        row["suggestions"] = ideas.get(row["customer_id"], [])
        if row["state"] == "unlinked" and row["suggestions"]:
            row["state"] = "suggested"
    return rows


def _described(row: list[Any], language: Language) -> dict[str, Any]:
    (id_, name, company, email, has_key, owner, account_id, account_name, account_email, is_active, by,
     candidates, names_nobody, was_synced, is_shared, same_key, refused, changes) = row  # fmt: skip
    reasons = []
    if account_id is not None:
        reasons.append(f"linked_{by}")
        reasons += ["linked_ambiguous"] * (candidates > 1) + ["linked_shared"] * is_shared
        state = "ambiguous" if candidates > 1 else "shared" if is_shared else "linked"
    else:
        has_text = bool((email or "").strip())
        reasons.append(
            "no_address"
            if not has_text
            else "not_an_address"
            if not has_key
            else "held_back"
            if same_key
            else "no_account"
        )
        reasons += ["account_refused"] * bool(refused) + ["was_linked"] * was_synced
        state = "lost" if was_synced else "unlinked"
    if names_nobody:
        reasons.append("names_nobody")
    account = {"id": account_id, "name": account_name, "email": account_email, "is_active": is_active}
    return {
        "customer_id": id_, "name": name, "company": company, "email": email, "owner_id": owner,
        "state": state,
        "reasons": [{"code": code, "text": text(code, language, count=candidates)} for code in reasons],
        "account": None if account_id is None else account,
        "linked_by": by,
        "refused": refused,
        "changes": json.loads(changes),
    }  # fmt: skip
