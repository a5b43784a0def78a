"""What needs attention as one message a day to a topic, if the deployment names one: to be read, not to be counted."""

import os
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger

from crm_services.base.errors import AppError
from crm_services.base.settings import history_time_zone, settings
from crm_services.postgres.database import Database, Transaction
from crm_services.sync.days import TODAY

logger = Logger()

LINES_OF_AN_OWNER = 10
KEPT_DAYS = 30
SOMETHING_ELSE_BYTES = 2_000  # what a message says beside its owners

# Each owner's part, the one with most customers first: who, how many customers and since today, the worst of them.
OWNERS = f"""
with listed as materialized (
  select o.*, c.name, c.created_by_id as owner_id, o.since = {TODAY} as is_new,
         row_number() over (partition by c.created_by_id
                            order by severity desc, since desc, customer_id, kind) as place
  from crm_hosting.attention o join crm_hosting.customers c on c.id = o.customer_id
)
select owner_id, (select name from crm_hosting.accounts where id = owner_id),
       count(distinct customer_id), count(distinct customer_id) filter (where is_new), count(*),
       array_agg(customer_id order by place) filter (where place <= :lines::integer),
       array_agg(name::text order by place) filter (where place <= :lines::integer),
       array_agg(kind order by place) filter (where place <= :lines::integer),
       array_agg(since::text order by place) filter (where place <= :lines::integer),
       array_agg(round(before, 2)::text order by place) filter (where place <= :lines::integer),
       array_agg(round(after, 2)::text order by place) filter (where place <= :lines::integer)
from listed group by owner_id order by 3 desc, owner_id
"""

# The day's message is this run's to send, unless it is another one's: a run that ends twice, as the answer to its end
# was lost, has it still; one that could not send it lets it go. Who dies in between may have sent it: nobody else does.
CLAIM = f"""
with old as (
  delete from crm_hosting.attention_messages where day < {TODAY} - {KEPT_DAYS}
)
insert into crm_hosting.attention_messages (day, run_id) values ({TODAY}, :run_id::bigint)
on conflict (day) do update set run_id = excluded.run_id
where attention_messages.run_id is null or attention_messages.run_id = excluded.run_id
returning day::text
"""
LET_GO = """
update crm_hosting.attention_messages set run_id = null where day = :day::date and run_id = :run_id::bigint
"""

WORDS = {
    "hashrate_down": "hashrate {before} -> {after} TH/s",
    "offline_share": "{after} % of its machines offline, {before} % before",
    "link_lost": "not linked to an account any more",
    "unusable_figure": "a figure that is none",
}


class Digest(NamedTuple):
    """A message that is a run's to send."""

    run_id: int
    day: str
    subject: str
    message: str


def claim(transaction: Transaction, run_id: int) -> Digest | None:
    """The day's message, which is this run's to send if its transaction commits; None: there is none to send by it."""
    if not settings().attention_topic_arn:
        return None
    owners = transaction.rows(OWNERS, lines=LINES_OF_AN_OWNER, time_zone=history_time_zone())
    if not owners:
        return None
    claimed = transaction.rows(CLAIM, run_id=run_id, time_zone=history_time_zone())
    if not claimed:
        return None
    customers = sum(owner[2] for owner in owners)
    subject = f"{customers} customer{'s need' if customers > 1 else ' needs'} attention"
    return Digest(run_id, claimed[0][0], subject, _message(claimed[0][0], subject, owners))


def send(database: Database, digest: Digest) -> None:
    """Publish the message. It is nobody's failure: what goes wrong is logged, and the day's next run tries again."""
    from crm_services.base.aws import own_credentials  # noqa: PLC0415 (what only a run with a message pays)
    from crm_services.base.topic import publish  # noqa: PLC0415

    try:
        topic = str(settings().attention_topic_arn)
        publish(topic, digest.subject, digest.message, own_credentials(), os.environ.get("AWS_ENDPOINT_URL"))
    except AppError as error:
        logger.warning(
            "attention message not sent", run_id=digest.run_id, error=repr(error), reason=error.fields.get("reason")
        )
        try:
            with database.transaction() as transaction:
                transaction.rows(LET_GO, day=digest.day, run_id=digest.run_id)
        except AppError as lost:
            logger.warning("attention message not let go", run_id=digest.run_id, error=repr(lost))


def _message(day: str, subject: str, owners: list[list[Any]]) -> str:
    from crm_services.base.topic import MESSAGE_BYTES  # noqa: PLC0415

    head = f"{day}: {subject}. GET /crm/api/hosting/attention lists all of it.\n"
    parts, left = [head], MESSAGE_BYTES - SOMETHING_ELSE_BYTES
    for place, owner in enumerate(owners):
        part = _part(*owner)
        left -= len(part.encode())
        if left < 0:
            parts.append(f"\n{len(owners) - place} more owners\n")
            break
        parts.append(part)
    return "".join(parts)


def _part(owner_id: int | None, name: str | None, customers: int, new: int, entries: int, *columns: list[Any]) -> str:
    whose = f"Owner {owner_id}{_named(name)}" if owner_id else "Nobody's"
    lines = [f"\n{whose}: {customers} customer{'s' if customers > 1 else ''}, {new} since today"]
    for customer_id, called, kind, since, before, after in zip(*columns, strict=True):
        words = WORDS[kind].format(before=before, after=after)
        lines.append(f"- customer {customer_id}{_named(called)}: {words}, since {since}")
    if entries > len(lines) - 1:
        lines.append(f"- {entries - len(lines) + 1} more")
    return "\n".join(lines) + "\n"


def _named(name: str | None) -> str:
    """A name in brackets, on one line; nothing where it is an address, which the id does as well for."""
    bare = " ".join("".join(c if c.isprintable() else " " for c in name or "").split())[:100]
    return f" ({bare})" if bare and "@" not in bare and "\uff20" not in bare else ""
