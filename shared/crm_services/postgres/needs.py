"""The columns of the CRM's that the bundle reads or writes, and of which types each may be."""

NEEDED: dict[str, dict[str, str]] = {
    "crm_customers": {
        "id": "id", "name": "text", "company": "text", "email": "address", "status": "word", "created_by_id": "id",
        "miners_count": "number", "mining_capacity": "number", "primary_miner_model": "text",
    },
    "user_access": {
        "id": "id", "email": "address", "role": "word", "is_active": "boolean", "expires_at": "time",
        "created_by_id": "id",
    },
    "user_miners": {
        "id": "id", "user_id": "id", "miner_model_id": "id", "custom_name": "text", "quantity": "whole",
        "actual_hashrate": "number", "actual_power": "number", "electricity_cost": "number", "status": "word",
        "location": "text", "created_at": "time",
    },
    "miner_models": {"id": "id", "model_name": "text", "reference_hashrate": "number", "reference_power": "number"},
    "network_snapshots": {
        "id": "id", "recorded_at": "time", "btc_price": "number", "network_difficulty": "number",
        "block_reward": "number", "is_valid": "boolean",
    },
}  # fmt: skip
# The same of the hosting module, where its machines are the fleet.
HOSTED: dict[str, dict[str, str]] = {
    "hosting_miners": {
        "id": "id", "customer_id": "id", "site_id": "id", "miner_model_id": "id", "serial_number": "text",
        "actual_hashrate": "number", "actual_power": "number", "status": "word", "approval_status": "word",
        "created_at": "time",
    },
    "hosting_sites": {"id": "id", "name": "text", "location": "text", "electricity_rate": "number"},
}  # fmt: skip
# Older CRMs lack the first; the others are the bundle's own, unless somebody made them before.
OPTIONAL = {
    ("crm_customers", "user_account_id"): "id",
    ("crm_customers", "hosting_estimated_daily_btc"): "number",
    ("crm_customers", "hosting_estimated_daily_usd"): "number",
    ("crm_customers", "hosting_net_profit_daily"): "number",
    ("crm_customers", "hosting_synced_at"): "time",
}
# These get columns or an index.
INDEXED = ("crm_customers", "user_access")
# Of the customers, what the sync writes into.
WRITTEN = ("miners_count", "mining_capacity", "primary_miner_model")

_WHOLE = ("smallint", "integer", "bigint")
_TEXT = ("character varying", "text", "character", "name")
TYPES: dict[str, tuple[str, ...]] = {
    "id": _WHOLE,
    "whole": _WHOLE,
    "number": (*_WHOLE, "numeric", "real", "double precision"),
    "text": _TEXT,
    "address": _TEXT,
    "word": (*_TEXT, "enum"),
    "boolean": ("boolean",),
    "time": ("timestamp without time zone", "timestamp with time zone"),
}
