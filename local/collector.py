"""What the demo's collector read of the hosting module's machines, and kept of their last thirty days."""

import random
from datetime import UTC, datetime, timedelta

from pg8000.native import Connection

from local.crm_rows import Row

# The days up to yesterday that are missing, of the machines that are hosted: nearly always on, a tenth of their days
# with an outage; those that stand still stopped somewhere on the way, and one in twenty was never on.
MISSING_DAYS = """
insert into telemetry_daily (day, site_id, miner_id, avg_hashrate_ths, avg_temp_c, avg_power_w, total_power_kwh,
                             online_ratio, uptime_hours, samples)
select day, site_id, serial_number, round((hashrate * minutes / 1440)::numeric, 2),
       case when minutes > 0 then round((50 + chance * 20)::numeric, 1) end,
       round((power * minutes / 1440)::numeric, 1), round((power * minutes / 60000)::numeric, 3),
       minutes / 1440.0, round(minutes / 60.0, 2), minutes
from (
  select day::date, m.site_id, m.serial_number, chance, k.reference_hashrate * 0.98 as hashrate,
         k.reference_power as power,
         case when m.cgminer_online is false and (place % 20 = 0 or day > (current_date - place % 30)) then 0
              when chance < 0.1 then (chance * 12000)::integer
              else 1440 - (chance * 20)::integer end as minutes
  from hosting_miners m
  join miner_models k on k.id = m.miner_model_id
  cross join generate_series(current_date - 30, current_date - 1, interval '1 day') day
  cross join lateral (select (hashtext(m.serial_number || day) & 1023) / 1024.0 as chance, m.id as place) drawn
  where m.approval_status = 'approved'
) days
on conflict (site_id, miner_id, day) do nothing
"""


def readings(chance: random.Random, hashrate: float, runs: bool) -> Row:
    """A machine's columns of the collector's, and its hashrate: most run well, one in fifteen is low, some are silent.

    A time when it was seen last would be old within minutes, as nobody goes on collecting: those that answer have none.
    """
    if not runs:
        ago = timedelta(minutes=round(chance.triangular(20, 60 * 24 * 40, 60)))
        seen = None if chance.random() < 0.1 else (datetime.now(UTC) - ago).replace(tzinfo=None).isoformat()
        return {"temperature_avg": None, "temperature_max": None, "reject_rate": None, "last_seen": seen} | {
            "cgminer_online": False,
            "health_score": chance.randint(0, 40),
        }
    is_low = chance.random() < 1 / 15
    average = round(chance.triangular(48, 82, 62), 1)
    return {
        "actual_hashrate": round(hashrate * chance.uniform(0.3, 0.79), 1) if is_low else hashrate,
        "temperature_avg": average,
        "temperature_max": round(average + chance.uniform(5, 16), 1),
        "reject_rate": round(chance.triangular(0.02, 4 if is_low else 0.6, 0.1), 2),
        "health_score": chance.randint(35, 75) if is_low else chance.randint(86, 100),
        "cgminer_online": True,
        "last_seen": None,
    }


def keep_days(db: Connection) -> None:
    """Append the machines' days that the collector would have kept since; none where a demo is older than they are."""
    if db.run("select to_regclass('public.telemetry_daily')") != [[None]]:
        db.run(MISSING_DAYS)
