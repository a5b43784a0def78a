"""Which customers need a call: what changed for the worse, worst first."""

from crm_services.postgres.database import Transaction

ATTENTION = """
with listed as materialized (
  select o.*, c.name from crm_hosting.attention o join crm_hosting.customers c on c.id = o.customer_id
)
select (select coalesce(json_agg(json_build_object(
          'customer_id', customer_id, 'name', name, 'kind', kind, 'since', since,
          'before', before, 'after', after, 'severity', severity
        ) order by severity desc, since desc, customer_id, kind), '[]')::text
        from (select * from listed order by severity desc, since desc, customer_id, kind limit :limit::integer) worst),
       (select count(distinct customer_id) from listed)
"""


def attention_json(transaction: Transaction, limit: int) -> tuple[str, int]:
    """The worst of what needs attention in scope, a JSON array of `AttentionSchema`, and how many customers."""
    worst, customers = transaction.row(ATTENTION, limit=limit)
    return worst, customers
