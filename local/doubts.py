"""The demo's links that are in doubt, one of each kind: what stands in the CRM's fields, and what people said of it."""

from pg8000.native import Connection

from local.crm_rows import Row

# Accounts beyond the customers' own, most of them of a customer whose field does not quite say so.
ACCOUNTS: dict[int, Row] = {
    151: {"name": "Tessa Grant", "email": "tessa.grant@gmail.com"},
    152: {"name": "Quentin Grant", "email": "quentin.grant@dingsheng.example"},
    153: {"name": "Nora Duarte", "email": "nora.duarte@jinsha-hydro.example"},
    154: {"name": "陈芳", "email": "fang.chen@cedar-ridge.example"},
    155: {"name": "周艳", "email": "yan.zhou@example.com"},
    156: {"name": "Walter Brooks", "email": "walter.brooks@yunhai-hash.example"},
    157: {"name": "Yusuf  FOSTER", "email": "yf@wallet.example"},
    158: {"name": "Vera Duarte", "email": "vera.duarte@xn--mnchen-3ya.de"},
    159: {"name": "李勇", "email": "yong.li@blue-mesa.example"},
    160: {"name": "长河实业", "email": "mining@changhe.example"},
    161: {"name": "杨洋", "email": "Yang.Yang@Blue-Mesa.example"},
}

CUSTOMERS: dict[int, Row] = {
    12: {"email": "tessa.grant@gmial.com"},
    15: {"email": "yan.zho@example.com"},
    18: {"email": "walterbrooks+crm@yunhai-hash.example"},
    22: {"email": "Nora Duarte <nora.duarte@jinsha-hydro.example>; +1 555 0100"},
    25: {"email": "fang.chen@old-ridge.example; fang.chen@cedar-ridge.example"},
    28: {"email": "mailto:quentin.grant@dingsheng.example"},
    32: {"email": "N/A"},
    35: {"email": '"yong.li@blue-mesa.example",'},
    38: {"email": "vera.duarte@münchen.de"},
    42: {"email": None},
    45: {"email": "无", "company": "长河实业"},
    52: {"email": "rosa.brook@yunhai-hash.example"},  # somebody else, as her owner has said
    81: {"email": " min.liu@example.com"},  # his wife's record, with the account of the couple
    91: {"email": "umar.hale@jinsha-hydro.example"},  # whose account the other mine owner opened
}
# The other mine owner has opened an account, too; and one account has no machines yet.
OPENED_BY_THE_OTHER = 14
WITHOUT_MACHINES = 147

CONFIRMED, GONE, REFUSED, LOST, FOUND = 31, 41, 52, 21, 23

ACCOUNT_OF = """
select a.id from user_access a join crm_customers c on crm_hosting.email_key(a.email) = crm_hosting.email_key(c.email)
where c.id = :customer
"""
SAY = "select crm_hosting.set_link(:caller, :customer, :account, :verdict, true)"
# An address is typed into another customer's record; one who has confirmed his account has another address since.
MOVE = f"""
update crm_customers
set email = case id when {FOUND} then (select email from crm_customers where id = {LOST})
                    when {LOST} then 'new@moved-away.example' else 'buchhaltung@fjord-compute.example' end
where id in ({FOUND}, {LOST}, {CONFIRMED})
"""


def happen(db: Connection, admin: int, mine_owner: int) -> None:
    """What people said of links since the first sync, and which addresses have changed."""

    def account_of(customer: int) -> int:
        found: int = db.run(ACCOUNT_OF, customer=customer)[0][0]
        return found

    db.run("select crm_hosting.scope_to(null)")
    db.run(SAY, caller=admin, customer=CONFIRMED, account=account_of(CONFIRMED), verdict="confirmed")
    [[former]] = db.run(
        "insert into user_access (name, email, password_hash, role) values ('x', 'former@x.example', '', 'client')"
        " returning id"
    )
    db.run(SAY, caller=admin, customer=GONE, account=former, verdict="confirmed")
    db.run("delete from user_access where id = :id", id=former)
    db.run("select crm_hosting.scope_to(:tenant)", tenant=mine_owner)
    [[rosa]] = db.run("select id from user_access where name = 'Rosa Brooks'")
    db.run(SAY, caller=mine_owner, customer=REFUSED, account=rosa, verdict="refused")
    db.run(MOVE)
