"""What changed for the worse between two days that were synced, and whether it is well again: told by a run's end."""

from crm_services.base.settings import history_time_zone, settings
from crm_services.postgres.database import Transaction
from crm_services.sync.days import TODAY

# What is on the list leaves it when it is back within so much of the threshold, or has become what is usual.
WELL_AGAIN = "0.75"
USUAL_AFTER_DAYS = 30

_SHARE = "round(100.0 * {0}.offline / nullif({0}.active + {0}.offline + {0}.maintenance, 0), 2)"

# What is noted as it is today; without what is well again, or is of an account that is not the customer's any more.
REVIEW = f"""
with today as materialized (
  select o.customer_id, o.kind, {_SHARE.format("n")} as share, n.earning_hashrate,
         coalesce(o.since > {TODAY} - {USUAL_AFTER_DAYS} and case o.kind
           when 'link_lost' then n.account_id is null and n.lost_account_id = o.account_id
           else n.account_id = o.account_id and case o.kind
             when 'hashrate_down' then
               n.earning_hashrate < o.before * (1 - :hashrate_percent::numeric * {WELL_AGAIN} / 100)
             when 'offline_share' then {_SHARE.format("n")} > :offline_percent::numeric * {WELL_AGAIN}
             else n.has_unusable_figure end
         end, false) as stays
  from crm_hosting.attention o left join crm_hosting.fleet_now n using (customer_id)
), well as (
  delete from crm_hosting.attention o using today t
  where o.customer_id = t.customer_id and o.kind = t.kind and not t.stays
)
update crm_hosting.attention o
set after = case o.kind when 'hashrate_down' then t.earning_hashrate else t.share end,
    severity = case o.kind when 'hashrate_down' then round(100 * (o.before - t.earning_hashrate) / o.before, 2)
                           else t.share end
from today t
where o.customer_id = t.customer_id and o.kind = t.kind and t.stays and o.kind in ('hashrate_down', 'offline_share')
  and o.after is distinct from case o.kind when 'hashrate_down' then t.earning_hashrate else t.share end
"""

# What is new: of the fleets that are not as they were on the last day before today on which everybody was synced. Who
# had none then has nothing to be worse than.
NOTICE = f"""
with reference as materialized (
  select max(day) as day from crm_hosting.market_days where customer_id = 0 and tenant_id = 0 and day < {TODAY}
), changed as materialized (
  select n.customer_id, coalesce(n.account_id, n.lost_account_id) as account_id, n.account_id is null as is_lost,
         n.earning_hashrate, b.earning_hashrate as former_hashrate,
         {_SHARE.format("n")} as share, {_SHARE.format("b")} as former_share,
         n.has_unusable_figure and not b.has_unusable_figure as is_unusable
  from reference r
  join crm_hosting.fleet_now n on n.day > r.day
  left join crm_hosting.fleet_days b
    on b.customer_id = n.customer_id and b.account_id = n.account_id and b.day <= r.day and b.until > r.day
)
insert into crm_hosting.attention (customer_id, kind, account_id, since, before, after, severity)
select c.customer_id, k.kind, c.account_id, {TODAY}, k.before, k.after, k.severity
from changed c
cross join lateral (values
  ('hashrate_down', former_hashrate > 0 and not is_lost
                    and earning_hashrate <= former_hashrate * (1 - :hashrate_percent::numeric / 100),
   former_hashrate, earning_hashrate,
   round(100 * (former_hashrate - earning_hashrate) / nullif(former_hashrate, 0), 2)),
  ('offline_share', share > :offline_percent::numeric and former_share <= :offline_percent::numeric,
   former_share, share, share),
  ('link_lost', is_lost, null, null, 100),
  ('unusable_figure', is_unusable, null, null, 0)
) k (kind, holds, before, after, severity)
where k.holds
order by c.customer_id, k.kind
on conflict (customer_id, kind) do nothing
"""

NEEDING = "select count(distinct customer_id) from crm_hosting.attention"


def review(transaction: Transaction) -> int:
    """Bring the list up to date with the days as they are; how many customers are on it.

    Twice a day is once: a day is compared with the day before, whatever was noted meanwhile.
    """
    limits = settings().thresholds
    given = {
        "hashrate_percent": limits.hashrate_drop_percent,
        "offline_percent": limits.offline_percent,
        "time_zone": history_time_zone(),
    }
    transaction.rows(REVIEW, **given)
    transaction.rows(NOTICE, **given)
    customers: int = transaction.value(NEEDING)
    return customers
