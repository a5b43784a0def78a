"""A customer's machines, page by page."""

import json

from crm_services.base.errors import BadParameter, QueryFailed
from crm_services.base.settings import settings
from crm_services.links.matching import LINK, ONE
from crm_services.postgres.database import Transaction

MINERS_LIMIT = 10_000
INCLUDED_MINERS = 200
# Lambda refuses an answer of over 6 MB, the envelope and what escaping the body adds included.
PAGE_BYTES = 5_000_000
MAX_ID = 2**31 - 1
NO_TIME = ("22007", "22008")  # invalid_datetime_format, datetime_field_overflow

# A row of `page` as the list shows it.
_SHOWN = """
  select page.id, coalesce(custom_name, model) as name, model, quantity, hashrate,
         round(quantity * hashrate, 2) as total_hashrate, power, watts as total_power,
         status, location, price as electricity_cost, round(watts * price * 0.024, 2) as daily_electricity_cost
"""

# Where `page` stands in the list: when the row was created, and its id. The row itself may be gone when its reader goes
# on, as the CRM's autosave deletes rows and inserts them anew; those that stay are met once each all the same.
_PLACE = """
  coalesce(to_char(page.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US'
                   || case when page.created_at < timestamp '0001-01-01' then 'BC' else '' end),
           page.created_at::text) || ':' || page.id
"""

# One page of the customer's rows, newest first, as JSON text, with the place to go on after (null at the end). The row
# after the page is read, not shown. An id alone, as the first version gave it, is where that row stands, or the next
# below it where it is gone.
MINERS = f"""
with linked as materialized (
  select link.account_id from crm_hosting.customers c {LINK} where c.id = :customer_id::integer
), begun as (
  select :after_created::timestamp as created_at, :after_id::integer as id where :after_created::text is not null
  union all (
    select p.created_at, case when p.id = :after_id::integer then p.id else p.id + 1 end
    from linked join crm_hosting.miners p on p.account_id = linked.account_id
    where :after_created::text is null and :after_id::integer is not null and p.id <= :after_id::integer
    order by p.id desc limit 1)
)
select coalesce((json_agg(shown) filter (where place <= :limit::integer))::text, '[]'),
       case when count(*) > :limit::integer then max({_PLACE}) filter (where place = :limit::integer) end
from (
  select m.*, row_number() over (order by m.created_at desc, m.id desc) as place
  from linked join crm_hosting.miners m on m.account_id = linked.account_id
  where (:status::text is null or m.status = :status::text)
    and (:after_id::integer is null or (m.created_at, m.id) < (select created_at, id from begun))
  order by m.created_at desc, m.id desc
  limit :limit::integer + 1
) page cross join lateral ({_SHOWN}) shown
"""

# The first page of the account in `linked`. Its rows are chosen by what orders them alone, and only they are looked at.
FIRST_MINERS = f"""
select coalesce((json_agg(shown order by place) filter (where place <= {INCLUDED_MINERS}))::text, '[]') as miners,
       case when count(*) > {INCLUDED_MINERS}
            then max({_PLACE}) filter (where place = {INCLUDED_MINERS}) end as following
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
    after: str | None = None,
    limit: int = MINERS_LIMIT,
) -> tuple[str, str | None]:
    """One page of the miners as a JSON array of `MinerDataSchema`, and the place to go on after (None at the end).

    Raises BadParameter where `after` is neither such a place nor an id.
    """
    created, _, last_id = (after or "").rpartition(":")
    if last_id and not 0 < int(last_id) <= MAX_ID:
        raise BadParameter(name="after")
    transaction.ask(ONE)
    try:
        page, following = transaction.row(
            MINERS,
            customer_id=customer_id,
            link_any=settings().link_any,
            status=status,
            after_created=created or None,
            after_id=int(last_id) if last_id else None,
            limit=limit,
        )
    except QueryFailed as error:
        if error.sqlstate in NO_TIME:
            raise BadParameter(name="after") from error
        raise
    if (size := size_in_an_answer(page)) > PAGE_BYTES:  # very long names
        return miners_page_json(transaction, customer_id, status, after, limit * PAGE_BYTES // size)
    return page, following


def size_in_an_answer(body: str) -> int:
    """The bytes of a body in Lambda's answer, which holds it as a string of JSON."""
    if len(body) * 4 <= PAGE_BYTES:  # no character takes more
        return 0
    return len(json.dumps(body, ensure_ascii=False).encode())
