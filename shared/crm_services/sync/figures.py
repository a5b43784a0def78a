"""What a customer's record should say beside what it says: the fragments that the sync and its preview share."""

from crm_services.fleet.figures import FLEETS, MARKET
from crm_services.links.matching import CANDIDATE, CANDIDATES, FIRST_CANDIDATE, NAMES_NOBODY


# Without a market nobody knows what machines earn, and the record keeps what it says; no machines earn nothing.
def _estimate(column: str, value: str, sql_type: str) -> dict[str, str]:
    kept = f"f.machines > 0 and not exists (select from market) then l.{column}"
    return {column: f"(case when {kept} else coalesce({value}, 0) end)::{sql_type}"}


# The columns that the sync writes, and what it writes: `f` is the fleet of the customer's account, null without rows,
# `l` the record as it is.
WRITTEN = {
    "miners_count": "coalesce(f.machines, 0)::integer",
    "mining_capacity": "crm_hosting.as_stored(round(coalesce(f.power, 0) * 0.000001, 3)::double precision)",
    "primary_miner_model": "f.model",
    **_estimate("hosting_estimated_daily_btc", "f.daily_btc", "numeric(18, 8)"),
    **_estimate("hosting_estimated_daily_usd", "f.daily_usd", "numeric(18, 2)"),
    **_estimate("hosting_net_profit_daily", "f.daily_usd - f.electricity_cost", "numeric(18, 2)"),
}


def each(template: str) -> str:
    """The template once for each column, `{name}` and `{value}` filled in, separated by commas."""
    return ", ".join(template.format(name=name, value=value) for name, value in WRITTEN.items())


# What is kept of a day.
DAY = """
  coalesce(f.active, 0)::integer as active, coalesce(f.offline, 0)::integer as offline,
  (coalesce(f.machines, 0) - coalesce(f.active, 0) - coalesce(f.offline, 0))::integer as maintenance,
  coalesce(f.hashrate, 0) as hashrate, coalesce(f.earning_hashrate, 0) as earning_hashrate,
  coalesce(f.power, 0)::bigint as power, coalesce(f.electricity_cost, 0) as electricity_cost,
  coalesce(f.has_unusable_figure, false) as has_unusable_figure, coalesce(f.fingerprint, 0) as fingerprint
"""


# The customers with `after < id <= upto` (of those in `only`, unless it is null) that are linked, or were so when they
# were synced, or whose link names nobody. LINK for many: the same choice among the accounts, without an aggregate for
# each customer that has none. A customer is due unless it was never synced and has no account, or one without any row:
# who was synced and has lost its link is cleared as one without machines is.
COMPARED = f"""
linked as materialized (
  select distinct on (c.id) c.id, c.created_by_id as owner_id, c.hosting_synced_at, {each("c.{name}")},
         {CANDIDATE} as account_id,
         count(*) over (partition by c.id) as candidates, {NAMES_NOBODY} as names_nobody
  from crm_hosting.customers c {CANDIDATES}
  where c.id > :after::integer and c.id <= :upto::integer
    and (:only::integer[] is null or c.id = any (:only::integer[]))
    and ({CANDIDATE} is not null or c.hosting_synced_at is not null or {NAMES_NOBODY})
  order by c.id, {FIRST_CANDIDATE}
), {MARKET}, {FLEETS}, compared as materialized (
  select n.*, is_due and (hosting_synced_at is null
                          or ({each("{name}")}) is distinct from ({each("new_{name}")})) as is_changed
  from (
    select l.*, {each("{value} as new_{name}")}, {DAY},
           f.has_unknown_status, f.has_unlikely_figure,
           f.account_id is not null or l.hosting_synced_at is not null as is_due,
           l.account_id is null and l.hosting_synced_at is not null as is_lost
    from linked l left join fleets f on f.account_id = l.account_id
    offset 0  -- or each figure is worked out for the comparison, too
  ) n
)
"""
