"""The demo's accounts and customers."""

from datetime import datetime, timedelta
from typing import NamedTuple

from local import crm_rows, doubts
from local.crm_rows import GRANTED, OPENED, REGISTERED, Row

CUSTOMERS = 150
# Three customers in ten have an account: the contract's link rate of 30 %.
LINKED_DIGITS = (1, 4, 7)
FIRST_DAY = datetime(2023, 3, 1, 8, 30)


class Account(NamedTuple):
    """Somebody who logs in to the CRM."""

    id: int
    name: str
    email: str
    role: str


MINE_OWNER = Account(1, "王建国", "Jianguo.Wang@north-mine.example", "mining_site_owner")
OTHER_MINE_OWNER = Account(2, "Dale Whitmore", "dale@lone-star.example", "mining_site_owner")
ADMIN = Account(3, "陈静", "jing.chen@crm.example", "admin")
OPERATOR = Account(4, "Maria Lindqvist", "maria@north-mine.example", "operator")
CLIENT = Account(5, "Tom Becker", "tom.becker@example.com", "client")
GUEST = Account(6, "李娜", "na.li@example.com", "guest")
STAFF = (MINE_OWNER, OTHER_MINE_OWNER, ADMIN, OPERATOR, CLIENT, GUEST)
# A customer of the mine owner with a large fleet.
FIRST_CUSTOMER = 1

# The lengths of surnames and given names have no common divisor, so that no name comes twice.
# fmt: off
CHINESE_SURNAMES = ["王wang", "李li", "张zhang", "刘liu", "陈chen", "杨yang", "赵zhao", "周zhou"]
CHINESE_GIVEN = ["伟wei", "芳fang", "敏min", "强qiang", "磊lei", "洋yang", "勇yong", "艳yan",
                 "杰jie", "涛tao", "明ming"]
ENGLISH_SURNAMES = ["Adler", "Brooks", "Castillo", "Duarte", "Eklund", "Foster", "Grant", "Hale"]
ENGLISH_GIVEN = ["Nora", "Oscar", "Priya", "Quentin", "Rosa", "Samuel", "Tessa", "Umar",
                 "Vera", "Walter", "Yusuf"]
# fmt: on
COMPANIES = (
    ("北极星矿业", "polaris-mining.example"),
    ("Cedar Ridge Capital", "cedar-ridge.example"),
    ("云海算力", "yunhai-hash.example"),
    ("Blue Mesa Energy", "blue-mesa.example"),
    ("鼎盛数字资产", "dingsheng.example"),
    ("Fjord Compute AS", "fjord-compute.example"),
    ("金沙河水电", "jinsha-hydro.example"),
    (None, "example.com"),
)
# How people type an address into a form: the blanks that paste along, and the case.
TYPED = ("{}", " {}", "{} ", "{}\t", "\u00a0{}", "{}\u3000", "{}\r\n")


def accounts_and_customers() -> tuple[list[Row], list[Row]]:
    """Every account, the staff's first, and every customer."""
    accounts = [_staff(account) for account in STAFF]
    customers = []
    for number in range(1, CUSTOMERS + 1):
        customer = _customer(number)
        customers.append(customer)
        if number % 10 in LINKED_DIGITS:
            accounts.append(_account(len(accounts) + 1, number, customer))
            if _made(number) == OPENED:
                customer["user_account_id"] = len(accounts)
                if number != FIRST_CUSTOMER:  # whose address has changed since
                    customer["email"] = f"office.{_address(number)}"
        customer |= doubts.CUSTOMERS.get(number, {})
    # Hosting has clients whom the CRM does not know.
    for number in range(CUSTOMERS + 1, CUSTOMERS + 13):
        accounts.append(_account(len(accounts) + 1, number, _customer(number)))
    return accounts, customers


def _staff(account: Account) -> Row:
    row = crm_rows.account(account.name, account.email, account.role)
    return {"id": account.id, **row, "created_by_id": MINE_OWNER.id if account is OPERATOR else None}


def _account(id_: int, number: int, customer: Row) -> Row:
    email = _typed(_address(number), number * 3)
    row = crm_rows.account(customer["name"], email, made=_made(number), by=customer["created_by_id"])
    return {"id": id_, **row, "is_active": number <= CUSTOMERS or number % 4 != 0} | doubts.ACCOUNTS.get(number, {})


def _made(number: int) -> str:
    """How the account came about; nobody's customers have no site owner who would open one."""
    opened = number % 5 == 2 or number in {FIRST_CUSTOMER, doubts.OPENED_BY_THE_OTHER}
    return OPENED if opened and _owner(number) else (REGISTERED, GRANTED)[number % 2]


def _customer(number: int) -> Row:
    company, _ = COMPANIES[number % len(COMPANIES)]
    linked = number % 10 in LINKED_DIGITS
    is_prospect = not linked and number % 3 == 0
    created = FIRST_DAY + timedelta(days=number * 6, minutes=number * 37)
    row = crm_rows.customer(
        _name(number)[0],
        {0: None, 5: ""}.get(number % 10, _typed(_address(number), number)),
        _owner(number),
        company=company,
        phone=f"+1 555 01{number % 100:02}",
        notes="意向客户" if is_prospect else None,
        created_at=created.isoformat(),
        updated_at=(created + timedelta(days=number % 9)).isoformat(),
        # What a prospect says that he will bring, in MW.
        mining_capacity=number / 10 if is_prospect else None,
        status="active" if linked else ("new", "pending", "active", "inactive")[number % 4],
        electricity_cost=0.05 if is_prospect else None,
        miners_count=0,
    )
    return {"id": number, **row}


def _owner(number: int) -> int | None:
    if number % 24 == 0:
        return None  # nobody's
    return OTHER_MINE_OWNER.id if number % 5 in (0, 4) else MINE_OWNER.id


def _name(number: int) -> tuple[str, str]:
    """The name, and what of it stands before the @."""
    pair = number // 2
    if number % 2:
        surname = CHINESE_SURNAMES[pair % len(CHINESE_SURNAMES)]
        given = CHINESE_GIVEN[pair % len(CHINESE_GIVEN)]
        return surname[0] + given[0], f"{given[1:]}.{surname[1:]}"
    surname = ENGLISH_SURNAMES[pair % len(ENGLISH_SURNAMES)]
    given = ENGLISH_GIVEN[pair % len(ENGLISH_GIVEN)]
    return f"{given} {surname}", f"{given}.{surname}".lower()


def _address(number: int) -> str:
    return f"{_name(number)[1]}@{COMPANIES[number % len(COMPANIES)][1]}"


def _typed(address: str, number: int) -> str:
    case = (address, address.upper(), address.title(), address.capitalize())[number % 4]
    return TYPED[number % len(TYPED)].format(case)
