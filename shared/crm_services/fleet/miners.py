"""A customer's machines, page by page."""

import json

from crm_services.base.errors import BadParameter
from crm_services.base.settings import settings
from crm_services.links.matching import LINK
from crm_services.postgres.database import Transaction

MINERS_LIMIT = 10_000
INCLUDED_MINERS = 200
# Lambda refuses an answer of over 6 MB, the envelope and what escaping the body adds included.
PAGE_BYTES = 5_000_000

# A row of `page` as the list shows it.
_SHOWN = """
  select page.id, coalesce(custom_name, model) as name, model, quantity, hashrate,
         round(quantity * hashrate, 2) as total_hashrate, power, watts as total_power,
         status, location, price as electricity_cost, round(watts * price * 0.024, 2) as daily_electricity_cost
"""

# One page of the customer's rows, newest first, as JSON text, with the id to go on after (null at the end), and
# whether the row that the page is to come after is one of the customer's. The row after the page is read, not shown.
MINERS = f"""
with linked as materialized (
  select link.account_id from crm_hosting.customers c {LINK} where c.id = :customer_id::integer
)
select coalesce((json_agg(shown) filter (where place <= :limit::integer))::text, '[]'),
       case when count(*) > :limit::integer then max(page.id) filter (where place = :limit::integer) end,
       :after::integer is null or exists (
         select from linked join crm_hosting.miners p on p.account_id = linked.account_id
         where p.id = :after::integer)
from (
  select m.*, row_number() over (order by m.created_at desc, m.id desc) as place
  from linked join crm_hosting.miners m on m.account_id = linked.account_id
  where (:status::text is null or m.status = :status::text)
    and (:after::integer is null or (m.created_at, m.id) < (
      select p.created_at, p.id from crm_hosting.miners p
      where p.id = :after::integer and p.account_id = linked.account_id))
  order by m.created_at desc, m.id desc
  limit :limit::integer + 1
) page cross join lateral ({_SHOWN}) shown
"""

# The first page of the account in `linked`. Its rows are chosen by what orders them alone, and only they are looked at.
FIRST_MINERS = f"""
select coalesce((json_agg(shown order by place) filter (where place <= {INCLUDED_MINERS}))::text, '[]') as miners,
       case when count(*) > {INCLUDED_MINERS}
            then max(page.id) filter (where place = {INCLUDED_MINERS}) end as following
from (
  select id, row_number() over (order by created_at desc, id desc) as place
  from (
    select m.id, m.created_at from crm_hosting.miners m
    where m.account_id = (select account_id from linked)
    order by m.created_at desc, m.id desc
    limit {INCLUDED_MINERS} + 1
  ) newest
) placed join crm_hosting.miners page using (id) cross join lateral ({_SHOWN}) shown
"""


def miners_page_json(
    transaction: Transaction,
    customer_id: int,
    status: str | None = None,
    after: int | None = None,
    limit: int = MINERS_LIMIT,
) -> tuple[str, int | None]:
    """One page of the miners as a JSON array of `MinerDataSchema`, and the id to go on after (None at the end).

    Raises BadParameter where `after` is not the id of one of the customer's miners.
    """
    page, following, is_known = transaction.row(
        MINERS,
        customer_id=customer_id,
        link_any=settings().link_any,
        status=status,
        after=after,
        limit=limit,
    )
    if not is_known:
        raise BadParameter(name="after")
    if (size := size_in_an_answer(page)) > PAGE_BYTES:  # very long names
        return miners_page_json(transaction, customer_id, status, after, limit * PAGE_BYTES // size)
    return page, following


def size_in_an_answer(body: str) -> int:
    """The bytes of a body in Lambda's answer, which holds it as a string of JSON."""
    if len(body) * 4 <= PAGE_BYTES:  # no character takes more
        return 0
    return len(json.dumps(body, ensure_ascii=False).encode())
