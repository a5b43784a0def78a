"""Accounts that may well be a customer's though nothing links them, with the reason and a score."""

from typing import Any

from crm_services.access.entry import Caller
from crm_services.base.messages import Language, text
from crm_services.base.settings import settings
from crm_services.links.addresses import meant_by
from crm_services.links.matching import SAME_KEY
from crm_services.postgres.database import Transaction

BEST = 3

# The keys that are one edit away from a customer's: a character left out, added, taken for another, or two changed
# over. Looked up one by one in the index, which is exact and takes a few milliseconds; not where no account's key
# begins as the customer's does up to there.
_EDITS = """
select before || after as key from cut where letter <> ''
union all
select before || substr(after, 1, 1) || letter || substr(after, 2) from cut where after <> ''
union all
select before || other || rest
from cut, lateral (values (after), (letter || after)) r (rest),
     unnest(string_to_array('abcdefghijklmnopqrstuvwxyz0123456789.-_', null)) other
"""

# The best of the accounts that the caller may see, for each of the customers. Who does not see all customers sees his
# own accounts and those that he created and, in link scope `any`, those that an address leads to: he could type it.
# Somebody else may well be one letter away, but is not called the same.
SUGGESTIONS = f"""
with c as materialized (
  select c.* from crm_hosting.customers c where c.id = any (:ids::integer[])
), meant as (
  select m.id, crm_hosting.email_key(m.address) as key, m.kind
  from unnest(:meant_ids::integer[], :meant_addresses::text[], :meant_kinds::text[]) m (id, address, kind)
), found as materialized (
  select c.id, a.id as account_id, 'exact' as kind, 100 as score from c join crm_hosting.accounts a on {SAME_KEY}
  union all
  select m.id, a.id, m.kind, 95 from meant m join crm_hosting.accounts a on a.email_key = m.key
  union all
  select c.id, a.id, 'mailbox', 90
  from c join crm_hosting.accounts a on a.mailbox = crm_hosting.mailbox(c.email) collate "C"
  union all
  select c.id, a.id, 'typo', 80
  from c cross join lateral (
    with cut as (
      select left(c.email_key, i - 1) as before, substr(c.email_key, i, 1) as letter,
             substr(c.email_key, i + 1) as after
      from generate_series(1, length(c.email_key) + 1) i
      where exists (
        select from crm_hosting.accounts a
        where a.email_key >= left(c.email_key, i - 1) and a.email_key <= left(c.email_key, i - 1) || chr(1114111))
    ) {_EDITS}
  ) edited join crm_hosting.accounts a on a.email_key = edited.key
  where length(c.email_key) <= 64
  union all
  select c.id, a.id, 'name', 60
  from c join crm_hosting.accounts a on a.name_key = crm_hosting.name_key(c.name) collate "C"
  union all
  select c.id, a.id, 'company', 50
  from c join crm_hosting.accounts a on a.name_key = crm_hosting.name_key(c.company) collate "C"
), best as (
  select distinct on (f.id, f.account_id) f.id, f.account_id, f.kind, a.name, a.email, a.is_active,
         f.score + case when f.score between 80 and 95 and a.name_key = crm_hosting.name_key(c.name) collate "C"
                        then 4 else 0 end as score
  from found f join c on c.id = f.id join crm_hosting.accounts a on a.id = f.account_id
  where (c.refused_account_ids is null or a.id <> all (c.refused_account_ids))
    and (:tenant_id::integer is null or :tenant_id::integer in (a.id, a.created_by_id)
         or (:link_any::boolean and f.kind not in ('name', 'company')))
  order by f.id, f.account_id, f.score desc
)
select id, account_id, name, email, kind, score
from (
  select *, row_number() over (partition by id order by score desc, is_active desc, account_id) as place from best
) b
where place <= {BEST} order by id, place
"""


def suggestions(
    transaction: Transaction, caller: Caller, fields: dict[int, str | None], language: Language
) -> dict[int, list[dict[str, Any]]]:
    """For each customer (its id, what its e-mail field says) the best three accounts, as `SuggestionSchema`."""
    meant = [(id_, *one) for id_, field in fields.items() for one in meant_by(field or "")]
    rows = transaction.rows(
        SUGGESTIONS,
        ids=list(fields),
        meant_ids=[id_ for id_, _, _ in meant],
        meant_addresses=[address for _, address, _ in meant],
        meant_kinds=[kind for _, _, kind in meant],
        tenant_id=caller.tenant_id,
        link_any=settings().link_any,
    )
    found: dict[int, list[dict[str, Any]]] = {id_: [] for id_ in fields}
    for id_, account_id, name, email, kind, score in rows:
        found[id_].append(
            {"account_id": account_id, "name": name, "email": email, "kind": kind, "score": score}
            | {"reason": text(f"suggested_{kind}", language)}
        )
    return found
