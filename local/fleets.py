"""The demo's machines: today's models with their makers' figures, in batches, and as the hosting module has them."""

import random
from datetime import timedelta
from typing import NamedTuple

from local import collector, crm_rows
from local.crm_rows import HOSTED_STATUSES, STATUSES, Row
from local.people import FIRST_DAY, MINE_OWNER


class Model(NamedTuple):
    """A machine as its maker describes it, in TH/s and W."""

    manufacturer: str
    name: str
    hashrate: float
    power: int


MODELS = (
    Model("Bitmain", "Antminer S19j Pro", 104, 3068),
    Model("Bitmain", "Antminer S19k Pro", 120, 2760),
    Model("Bitmain", "Antminer S19 XP", 140, 3010),
    Model("Bitmain", "Antminer T21", 190, 3610),
    Model("Bitmain", "Antminer S21", 200, 3500),
    Model("Bitmain", "Antminer S21 Pro", 234, 3510),
    Model("Bitmain", "Antminer S21 XP", 270, 3645),
    Model("MicroBT", "Whatsminer M50S", 126, 3276),
    Model("MicroBT", "Whatsminer M60S", 186, 3441),
    Model("MicroBT", "Whatsminer M66S", 298, 5513),
    Model("Canaan", "Avalon A1466", 150, 3230),
    Model("Canaan", "Avalon A1566", 185, 3420),
)
# Where they stand, and what a kWh costs there in USD.
SITES = (
    ("Texas DC-01", 0.045),
    ("Texas DC-02", 0.048),
    ("Paraguay Itaipú", 0.039),
    ("埃塞俄比亚 GERD 一期", 0.036),
    ("哈萨克斯坦 埃基巴斯图兹", 0.052),
    ("Norway Mo i Rana", 0.044),
)
LARGEST_FLEET = 60
LARGEST_HOSTED, SMALLER_HOSTED = 400, 40


def models() -> list[Row]:
    """The rows of `miner_models`."""
    return [
        {"id": number, **crm_rows.model(model.name, model.manufacturer, model.hashrate, model.power)}
        for number, model in enumerate(MODELS, 1)
    ]


def sites() -> list[Row]:
    """The rows of `hosting_sites`."""
    return [{"id": number, **crm_rows.site(*site, owner=MINE_OWNER.id)} for number, site in enumerate(SITES, 1)]


def fleets(chance: random.Random, account_ids: list[int]) -> list[Row]:
    """The rows of `user_miners`: the first account's fleet is the largest, most are small."""
    rows: list[Row] = []
    for account_id in account_ids:
        batches = LARGEST_FLEET if not rows else 1 + int(LARGEST_FLEET * chance.random() ** 3)
        models = chance.sample(range(len(MODELS)), k=3)
        rows += [_batch(chance, account_id, chance.choice(models)) for _ in range(batches)]
    return [{"id": number, **row} for number, row in enumerate(rows, 1)]


def _batch(chance: random.Random, account_id: int, model: int) -> Row:
    site, price = chance.choice(SITES)
    created = FIRST_DAY + timedelta(days=chance.randrange(900), seconds=chance.randrange(86400))
    names = [
        None,
        f"Hall {chance.randint(1, 6)} · Rack {chance.randint(1, 40)}",
        f"{chance.choice('一二三四')}号厂房 {chance.randint(1, 40)} 架",
    ]
    return crm_rows.batch(
        account_id,
        model + 1,
        custom_name=chance.choice(names),
        quantity=round(chance.triangular(1, 160, 20)),
        **_as_it_runs(chance, model),
        electricity_cost=price,
        status=_one_of(chance, STATUSES),
        location=site,
        created_at=created.isoformat(),
        updated_at=created.isoformat(),
    )


def machines(chance: random.Random, account_ids: list[int]) -> list[Row]:
    """The rows of `hosting_miners`, the same accounts' machines as the hosting module knows them: a row each."""
    rows: list[Row] = []
    for account_id in account_ids:
        models, site = chance.sample(range(len(MODELS)), k=2), chance.randint(1, len(SITES))
        for _ in range(chance.randint(1, SMALLER_HOSTED) if rows else LARGEST_HOSTED):
            rows.append(_machine(chance, account_id, site, chance.choice(models), f"SN{len(rows) + 1:06}"))
    return [{"id": number, **row} for number, row in enumerate(rows, 1)]


def _machine(chance: random.Random, account_id: int, site: int, model: int, serial_number: str) -> Row:
    status = _one_of(chance, HOSTED_STATUSES)
    runs = status in {"online", "active"}
    figures = _as_it_runs(chance, model) if runs else {"actual_hashrate": 0.0, "actual_power": 0}
    created = FIRST_DAY + timedelta(days=chance.randrange(900), seconds=chance.randrange(86400))
    return crm_rows.machine(
        account_id,
        site,
        model + 1,
        serial_number,
        rack_position=f"R{chance.randint(1, 40):02}-{chance.randint(1, 8)}",
        **figures | collector.readings(chance, figures["actual_hashrate"], runs),
        status=status,
        # One in twenty has been handed in and not been looked at.
        approval_status="approved" if chance.random() < 0.95 else "pending_approval",
        created_at=created.isoformat(),
    )


def _as_it_runs(chance: random.Random, model: int) -> Row:
    # No machine runs exactly as its data sheet says.
    return {
        "actual_hashrate": round(MODELS[model].hashrate * chance.uniform(0.94, 1.02), 1),
        "actual_power": round(MODELS[model].power * chance.uniform(0.98, 1.04)),
    }


def _one_of(chance: random.Random, shares: dict[str, int]) -> str:
    return chance.choices(list(shares), list(shares.values()))[0]
