"""The customers in scope with the figures of their last sync, page by page."""

from typing import Literal, get_args

from crm_services.access.customers import searched
from crm_services.base.settings import settings
from crm_services.links.matching import FEW, LINK
from crm_services.postgres.database import Transaction

# What a sync finds of a customer's machines; what it finds of links, the list of links tells.
Finding = Literal["unusable_figure", "unknown_status", "unlikely_figure"]
_FINDINGS = ", ".join(f"'{kind}'" for kind in get_args(Finding))

# A customer that is searched for, that has what is to be mended (looked up one by one: what others have is many times
# what a tenant's have), and that comes after that place.
_ASKED = f"""
{searched("c.name || ' ' || coalesce(c.company, '')")}
and (:finding::text is null
  or (select true from crm_hosting.findings f where f.customer_id = c.id and f.kind = :finding::text))
and (:after_id::bigint is null
  or coalesce(c.hosting_net_profit_daily, '-Infinity') < coalesce(:after_profit::numeric, '-Infinity')
  or (coalesce(c.hosting_net_profit_daily, '-Infinity') = coalesce(:after_profit::numeric, '-Infinity')
      and c.id > :after_id::bigint))
"""
_ONE = f"select * from crm_hosting.customers c where c.id = :customer_id::integer and {_ASKED}"
# All that are a tenant's, or (either is empty for the other) those of everybody's that an index has in this order.
_SCOPE = f"""
select * from crm_hosting.customers c
where c.id = any (array(
    select id from crm_hosting.tenant_customers
    union all
    select crm_hosting.next_by_profit(:search::text, :after_profit::numeric, :after_id::bigint, :limit::integer + 1,
                                      :finding::text)))
  and {_ASKED}
"""

# One page of the customers as JSON text, by the profit of their last sync, with the place to go on after: profit (null
# where never synced, which comes last) and id.
_PAGE = f"""
with page as materialized (
  select c.*, coalesce(c.hosting_net_profit_daily, '-Infinity') as rank from ({{found}}) c
  order by rank desc, c.id
  limit :limit::integer + 1
), shown as (
  select * from page order by rank desc, id limit :limit::integer
), last as (
  select id, hosting_net_profit_daily as profit from shown order by rank, id desc limit 1
)
select (select coalesce(json_agg(json_build_object(
          'id', c.id, 'name', c.name, 'company', c.company, 'status', c.status,
          'has_email', c.email_key is not null,
          'has_hosting', link.account_id is not null,
          'miners_count', c.miners_count,
          'mining_capacity', case when crm_hosting.is_usable(c.mining_capacity) then c.mining_capacity end,
          'primary_miner_model', c.primary_miner_model,
          'estimated_daily_btc', c.hosting_estimated_daily_btc,
          'estimated_daily_usd', c.hosting_estimated_daily_usd,
          'net_profit_daily', c.hosting_net_profit_daily,
          'synced_at', to_char(c.hosting_synced_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
          'findings', array(select f.kind from crm_hosting.findings f
                            where f.customer_id = c.id and f.kind in ({_FINDINGS}) order by f.kind)
        ) order by c.rank desc, c.id), '[]')::text from shown c {LINK}),
       last.profit, last.id
from (select count(*) > :limit::integer as has_more from page) found left join last on has_more
"""
ONE_CUSTOMER = _PAGE.format(found=_ONE)
CUSTOMERS = _PAGE.format(found=_SCOPE)


def customers_page_json(  # noqa: PLR0913, PLR0917 (each is a filter of its own)
    transaction: Transaction,
    customer_id: int | None,
    search: str | None,
    finding: Finding | None,
    after: str | None,
    limit: int,
) -> tuple[str, str | None]:
    """One page as a JSON array of `CustomerSchema`, most profit first, and what to go on after (None at the end)."""
    profit, _, last_id = (after or ":").partition(":")
    transaction.ask(FEW)
    of_one = {} if customer_id is None else {"customer_id": customer_id}
    page, next_profit, next_id = transaction.row(
        ONE_CUSTOMER if of_one else CUSTOMERS,
        search=search,
        finding=finding,
        after_profit=profit or None,
        after_id=last_id or None,
        limit=limit,
        link_any=settings().link_any,
        **of_one,
    )
    return page, None if next_id is None else f"{'' if next_profit is None else next_profit}:{next_id}"
