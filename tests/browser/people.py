"""The customers that only the browser's tests need: each is a state of the page."""

from pg8000.native import Connection

from local.crm_rows import STATUSES, any_of
from local.fleets import MODELS
from local.people import FIRST_CUSTOMER, MINE_OWNER, OTHER_MINE_OWNER, STAFF

LARGEST = FIRST_CUSTOMER
STRANGERS = 4  # of the other mine owner
GUEST, OPERATOR = STAFF[5].id, STAFF[3].id
NOBODY = 999_999
SCRIPT, EMPTY, SOLD, MANY, LOSING, WITHOUT_EMAIL, UNMATCHED, SYNCED, OPERATED = range(1001, 1010)
LONELY_OWNER = 8001  # a mine owner without customers

NAMES = {
    SCRIPT: "<script>alert(1)</script>",
    EMPTY: "Empty Account Ltd",
    SOLD: "Sold Everything & Sons",
    MANY: "Ten Thousand Racks",
    LOSING: "电价太高",
    WITHOUT_EMAIL: "Nora Without-Mail",
    UNMATCHED: "Uma Unmatched",
    SYNCED: "Sync Me",
    OPERATED: "Seen by an Operator",
}
MANY_BATCHES = 10_000

CUSTOMER = """
insert into crm_customers (id, name, company, email, created_by_id) values (:id, :name, :company, :email, :owner)
"""
ACCOUNT = "insert into user_access (id, name, email, role) values (:id, :name, :email, :role)"
MINERS = """
insert into user_miners (user_id, miner_model_id, custom_name, quantity, actual_hashrate, actual_power,
                         electricity_cost, status, location)
"""
FLEETS = f"""
{MINERS} values
  ({SCRIPT}, 1, '<img src=x onerror=alert(2)>', 3, 104, 3068, 0.05, 'manual', '<i>Hall</i> & "1"'),
  ({SOLD}, 1, null, 3, 104, 3068, 0.05, 'sold', null),
  ({LOSING}, 1, null, 300, 104, 3068, 0.15, 'online', 'Berlin'),
  ({SYNCED}, 5, 'Rack 1', 40, 200, 3500, 0.045, 'manual', 'Texas DC-01'),
  ({OPERATED}, 5, 'Rack 2', 4, 200, 3500, 0.045, 'manual', 'Texas DC-01')
"""
FLEET_OF_MANY = f"""
{MINERS}
select {MANY}, 1 + i % {len(MODELS)}, case when i % 3 > 0 then 'Rack ' || i end, 1 + i % 40, 100 + i % 150 + 0.1,
       3000 + i % 700, 0.03 + (i % 50) / 1000.0,
       {any_of(STATUSES, "i % 100 / 100.0")},
       'Hall ' || i % 30
from generate_series(1, {MANY_BATCHES}) i
"""


def add(owner: Connection) -> None:
    """Add them to the demo's data; an account has the id of its customer."""
    for id_, name in NAMES.items():
        email = None if id_ == WITHOUT_EMAIL else f"customer{id_}@state.example"
        company = "<b>Bold</b> & Co" if id_ == SCRIPT else None
        owned_by = OPERATOR if id_ == OPERATED else MINE_OWNER.id
        owner.run(CUSTOMER, id=id_, name=name, company=company, email=email, owner=owned_by)
        if id_ not in {WITHOUT_EMAIL, UNMATCHED}:
            owner.run(ACCOUNT, id=id_, name=name, email=email, role="client")
    owner.run(ACCOUNT, id=LONELY_OWNER, name="Lonely", email="lonely@state.example", role="mining_site_owner")
    owner.run(FLEETS)
    owner.run(FLEET_OF_MANY)
    # The other mine owner's, so that it is certain whose it is.
    owner.run("update crm_customers set created_by_id = :o where id = :id", o=OTHER_MINE_OWNER.id, id=STRANGERS)
