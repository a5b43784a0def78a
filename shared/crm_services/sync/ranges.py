"""The sync of a range of customers: the unit that one customer's sync, the batch and its workers share."""

from typing import NamedTuple

from crm_services.base.settings import history_time_zone, settings
from crm_services.links.matching import LINK, ONE
from crm_services.postgres.database import Transaction
from crm_services.sync.days import KEEP_DAYS, mark_customer
from crm_services.sync.figures import COMPARED, each
from crm_services.sync.lease import Lease

# The linked customers of a range by owner.
LINKS = """
(select coalesce(json_agg(json_build_array(owner_id, customers)), '[]')::text
 from (select owner_id, count(*) as customers from compared where account_id is not null group by 1) theirs)
"""

# Writes what changed, and keeps the day. A row that somebody else has locked is left out and its id returned. Returns
# linked, due, changed, the ids of the locked rows, how many links were found lost that were not known to be, and the
# linked by owner.
SYNC = f"""
with {COMPARED}, changed as (
  select coalesce(array_agg(id::integer order by id), '{{}}') as ids,
         {each("array_agg(new_{name} order by id) as {name}")}
  from compared where is_changed
), written as materialized (
  select w.id from changed, crm_hosting.write_figures(
    :run_id::bigint, :token::integer, ids, {each("{name}")}) w (id)
), seen as (
  select n.id, k.kind
  from (
    select * from compared where candidates > 1 or has_unusable_figure or has_unknown_status or has_unlikely_figure
      or is_lost or names_nobody
  ) n
  cross join lateral (values ('ambiguous_email', n.candidates > 1),
                             ('unusable_figure', n.has_unusable_figure),
                             ('unknown_status', n.has_unknown_status),
                             ('unlikely_figure', n.has_unlikely_figure),
                             ('link_lost', n.is_lost),
                             ('account_gone', n.names_nobody)) k (kind, holds)
  where k.holds
), forgotten as (
  delete from crm_hosting.findings o
  where (:only::integer[] is null or o.customer_id = any (:only::integer[]))
    and o.customer_id in (
      select c.id from crm_hosting.customers c where c.id > :after::integer and c.id <= :upto::integer
        and (:only::integer[] is null or c.id = any (:only::integer[])))
    and (o.customer_id, o.kind) not in (select id, kind from seen)
    and o.kind not in ('shared_account', 'shared_across_owners')  -- which a run's end looks for
), noted as (
  insert into crm_hosting.findings (customer_id, kind, run_id)
  select id, kind, :run_id::bigint from seen
  on conflict do nothing
  returning kind
), {KEEP_DAYS}
select (select count(*) from compared where account_id is not null),
       (select count(*) from compared where is_due), (select count(*) from written),
       (select coalesce(array_agg(id::integer order by id), '{{}}') from compared
        where is_changed and id not in (select id from written)),
       (select count(*) from noted where kind = 'link_lost'),
       {LINKS}
"""

# The same of one customer whom SYNC could not sync.
LINKED = f"""
select count(*), coalesce(json_agg(json_build_array(c.created_by_id, 1)), '[]')::text
from crm_hosting.customers c {LINK}
where c.id = :customer_id::integer and link.account_id is not null
"""

# What SYNC would write: due, changed, and the first customers with each field before and after, as JSON text.
PREVIEW = f"""
with {COMPARED}, shown as (
  select id, (select coalesce(json_object_agg(name, json_build_object('before', before, 'after', after)), '{{}}')
              from (values {each("('{name}', to_jsonb({name}), to_jsonb(new_{name}))")}) field (name, before, after)
              where before is distinct from after) as changes
  from compared where is_changed order by id limit :limit::integer
)
select (select count(*) from compared where is_due), (select count(*) from compared where is_changed),
       (select coalesce(json_agg(json_build_object(
          'customer_id', id, 'name', (select name from crm_hosting.customers c where c.id = shown.id),
          'changes', changes
        ) order by id), '[]')::text
        from shown)
"""


class Synced(NamedTuple):
    """What became of a range; `due` is linked with something to sync, `locked` are ids that somebody else holds.

    `links` are the linked by owner, as a JSON array of [owner, customers].
    """

    linked: int
    due: int
    changed: int
    locked: list[int]
    lost: int
    links: str


class Preview(NamedTuple):
    """What a sync of a range would change; `changes` is a JSON array of the first customers, before and after."""

    due: int
    changed: int
    changes: str


def sync_range(
    transaction: Transaction, after: int, upto: int, only: list[int] | None = None, lease: Lease | None = None
) -> Synced:
    """Sync the visible customers with `after < id <= upto`, of those in `only` where that is given.

    Without a run's lease it is one customer at the most.
    """
    row = transaction.row(
        SYNC,
        after=after,
        upto=upto,
        only=only,
        run_id=lease and lease.run_id,
        token=lease and lease.token,
        link_any=settings().link_any,
        time_zone=history_time_zone(),
    )
    return Synced(*row)


def sync_one(transaction: Transaction, customer_id: int) -> Synced:
    """Sync one customer, if it is visible."""
    transaction.ask(ONE)
    done = sync_range(transaction, customer_id - 1, customer_id)
    if done.due and not done.locked:
        mark_customer(transaction, customer_id)
    return done


def linked(transaction: Transaction, customer_id: int) -> tuple[int, str]:
    """Whether the customer is linked, 1 or 0, and the same as the `links` of a range."""
    count, links = transaction.row(LINKED, customer_id=customer_id, link_any=settings().link_any)
    return count, links


def preview_range(
    transaction: Transaction, after: int, upto: int, limit: int, only: list[int] | None = None
) -> Preview:
    """What `sync_range` would change, in detail for the first `limit` customers; it writes nothing."""
    row = transaction.row(PREVIEW, after=after, upto=upto, only=only, limit=limit, link_any=settings().link_any)
    return Preview(*row)


def preview_one(transaction: Transaction, customer_id: int) -> Preview:
    """What `sync_one` would change."""
    transaction.ask(ONE)
    return preview_range(transaction, customer_id - 1, customer_id, limit=1)
