"""How a customer's machines do: what they hash of what their models should, how hot and how well, who is silent."""

from crm_services.base.errors import NotFound
from crm_services.base.settings import settings
from crm_services.links.matching import LINK
from crm_services.postgres.database import Transaction

# How many of the worst are named, and how many models; the figures are of all.
NAMED = 50
MODELS = 200
# A machine is low below so much of its model's reference; its collector asks each minute, so that no news is silence.
LOW_PERCENT = 80
SILENT_AFTER = "15 minutes"
# Beyond it a percentage says no more than that the reference is wrong.
MOST_PERCENT = 1000
DAYS = 30

# What is further off than any machine is no reading (NaN sorts above all numbers): °C, %, points, kWh a day.
_TEMPERATURE = "case when {0} > 0 and {0} < 200 then {0}::numeric end"
_OF_HUNDRED = "case when {0} between 0 and 100 then {0}::numeric end"
_ENERGY = "case when {0} between 0 and 1000 then {0}::numeric end"
_REFERENCE = "case when {0} > 0 and {0} < 1e15 then {0}::numeric end"
# Nor is a time of the future beyond what a clock may err, or of before there was anything to mine.
_SEEN = "case when {0} > timestamp '2009-01-03' and {0} < now + interval '5 minutes' then {0} end"


def _rounded(dividend: str, divisor: str, places: int) -> str:
    """The quotient, half up; null where the divisor is 0. A numeric quotient is rounded itself, and so none is made."""
    return f"div(2 * ({dividend}) * 1e{places} + {divisor}, nullif({divisor}, 0) * 2) * 1e-{places}"


def _percent(part: str, whole: str) -> str:
    return f"case when {whole} > 0 then least({_rounded(f'100 * {part}', whole, 1)}, {MOST_PERCENT}) end"


def _readings(of: str, worst: str, places: int) -> str:
    """What the active machines read: their mean, the worst, and how many have a reading."""
    name, (function, column) = worst, {"highest": ("max", of.replace("avg", "max")), "lowest": ("min", of)}[worst]
    active = "filter (where status = 'active')"
    mean = _rounded(f"sum({of}) {active}", f"count({of}) {active}", places)
    return f"""json_build_object('average', {mean}, '{name}', round({function}({column}) {active}, {places}),
                                 'measured', count({of}) {active})"""


# The machines of the account in `linked` that are not sold. One in maintenance, as somebody means it, is neither low
# nor silent; nor is one silent of which nobody ever asked.
_FLEET = f"""
fleet as materialized (
  select m.*, status = 'active' and hashrate * 100 < reference * {LOW_PERCENT} as is_low,
         status <> 'maintenance' and (cgminer_online is not null or seen is not null) as is_watched,
         status <> 'maintenance' and (not cgminer_online or seen < now - interval '{SILENT_AFTER}') as is_silent
  from (
    select m.id, m.site_id, m.custom_name as serial_number, left(coalesce(m.custom_name, m.model), 200) as name,
           left(m.model, 200) as model, left(m.location, 200) as location,
           left(m.rack_position, 200) as rack_position, m.status, m.hashrate, m.cgminer_online, now,
           {_REFERENCE.format("m.reference_hashrate")} as reference,
           {_TEMPERATURE.format("m.temperature_avg")} as temperature_avg,
           greatest({_TEMPERATURE.format("m.temperature_max")}, {_TEMPERATURE.format("m.temperature_avg")})
             as temperature_max,
           {_OF_HUNDRED.format("m.reject_rate")} as reject_rate, {_OF_HUNDRED.format("m.health_score")} as health,
           {_SEEN.format("m.last_seen")} as seen
    from linked cross join clock join crm_hosting.miners m on m.account_id = linked.account_id
    where m.status <> 'sold'
    offset 0
  ) m
)
"""

_PLACE = "'id', id, 'name', name, 'model', model, 'location', location, 'rack_position', rack_position"
_LOW = f"""
select coalesce(json_agg(json_build_object({_PLACE}, 'hashrate', hashrate, 'reference', reference,
         'percent', {_percent("hashrate", "reference")}, 'temperature', round(temperature_max, 1),
         'reject_rate', round(reject_rate, 2), 'health', health) order by share, id), '[]') as lowest
from (select *, hashrate / reference as share from fleet where is_low order by share, id limit {NAMED}) low
"""
_SILENT = f"""
select coalesce(json_agg(json_build_object({_PLACE}, 'status', status,
         'since', to_char(seen, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) order by seen, id), '[]') as longest
from (select * from fleet where is_silent order by seen, id limit {NAMED}) silent
"""
# What an active machine of a known reference hashes, and should.
_RATED = "filter (where status = 'active' and reference is not null)"
_MODELS = f"""
select coalesce(json_agg(shown order by machines desc, model collate "C"), '[]') as by_model
from (
  select model, count(*) as machines, json_build_object(
    'model', model, 'miners_count', count(*), 'active_miners', count(*) filter (where status = 'active'),
    'hashrate', round(coalesce(sum(hashrate) filter (where status = 'active'), 0), 2),
    'reference', max(reference),
    'percent', {_percent(f"sum(hashrate) {_RATED}", f"sum(reference) {_RATED}")},
    'low', count(*) filter (where is_low)) as shown
  from fleet group by model order by machines desc, model collate "C" limit {MODELS}
) models
"""

# A collector's day is one of UTC, and today's is not over. The hours of a day are those of its share, or of
# `uptime_hours` where that is none: neither is more than the whole in the 15 digits that count.
_SHARE = "online_ratio >= 0 and online_ratio < 1.000000000000005"
_HOURS = "uptime_hours >= 0 and uptime_hours < 24.00000000000005"
_UPTIME = _rounded("100 * sum(hours)", "(24 * sum(timed))", 2)
# Each machine's days are looked up by the index of its own: others' may be millions. (`offset 0` keeps it so.)
_DAYS = f"""
days as materialized (
  select day, count(*) as miners, count(share) + count(hours) as timed,
         case when count(share) + count(hours) > 0 then coalesce(sum(share) * 24, 0) + coalesce(sum(hours), 0) end
           as hours,
         sum(energy) as energy
  from (
    select d.day, case when {_SHARE} then online_ratio::numeric end as share,
           case when ({_SHARE}) is not true and {_HOURS} then uptime_hours::numeric end as hours,
           {_ENERGY.format("d.energy")} as energy
    from clock cross join fleet cross join lateral (
      select k.* from crm_hosting.machine_days k
      where k.site_id = fleet.site_id and k.serial_number = fleet.serial_number
        and k.day between clock.now::date - {DAYS} and clock.now::date - 1
      offset 0
    ) d
    offset 0
  ) machine_days
  group by day
)
"""
_LAST_DAYS = f"""
select json_build_object('from', min(now)::date - {DAYS}, 'to', min(now)::date - 1,
         'uptime_percent', {_UPTIME}, 'energy_kwh', round(sum(energy), 1),
         'days', coalesce(json_agg(shown order by day) filter (where day is not null), '[]')) as last_days
from clock left join (
  select days.*, json_build_object('day', day, 'miners', miners,
           'uptime_percent', {_rounded("100 * hours", "(24 * timed)", 2)},
           'energy_kwh', round(energy, 1)) as shown
  from days
) days on true
"""

# No row where there is no such customer in sight; null where nobody collects anything of the machines.
PERFORMANCE = f"""
with linked as materialized (
  select link.account_id from crm_hosting.customers c {LINK} where c.id = :customer_id::integer
), clock as materialized (select now() at time zone 'utc' as now), {_FLEET}, {_DAYS}, total as (
  select count(*) as machines, count(*) filter (where status = 'active') as active,
         count(*) filter (where status = 'offline') as offline,
         count(*) filter (where status = 'maintenance') as maintenance,
         json_build_object(
           'actual', round(coalesce(sum(hashrate) {_RATED}, 0), 2),
           'reference', round(coalesce(sum(reference) {_RATED}, 0), 2),
           'percent', {_percent(f"sum(hashrate) {_RATED}", f"sum(reference) {_RATED}")},
           'measured', count(*) {_RATED}, 'low', count(*) filter (where is_low),
           'lowest', (select lowest from ({_LOW}) low)) as hashrate,
         {_readings("temperature_avg", "highest", 1)} as temperature,
         {_readings("reject_rate", "highest", 2)} as reject_rate,
         {_readings("health", "lowest", 1)} as health,
         json_build_object(
           'count', count(*) filter (where is_silent), 'watched', count(*) filter (where is_watched),
           'never_seen', count(*) filter (where is_silent and seen is null),
           'longest', (select longest from ({_SILENT}) silent)) as silent
  from fleet
)
select case when sources.machines = 'hosting_miners' then json_build_object(
  'has_hosting', linked.account_id is not null,
  'user_access_id', linked.account_id,
  'as_of', to_char(clock.now, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'miners_count', total.machines,
  'active_miners', active,
  'offline_miners', offline,
  'maintenance_miners', maintenance,
  'hashrate', hashrate,
  'by_model', (select by_model from ({_MODELS}) models),
  'temperature', temperature,
  'reject_rate', reject_rate,
  'health', health,
  'silent', silent,
  'last_30_days', case when has_days then (select last_days from ({_LAST_DAYS}) last_days) end
)::text end
from linked cross join clock cross join crm_hosting.sources cross join total
"""


def performance_json(transaction: Transaction, customer_id: int) -> str:
    """How the customer's machines do as JSON text, `PerformanceSchema`.

    Raises NotFound where there is no such customer in the transaction's scope, or machines come from a table that no
    collector writes.
    """
    rows = transaction.rows(PERFORMANCE, customer_id=customer_id, link_any=settings().link_any)
    if not rows:
        raise NotFound("customer_not_found")
    [[performance]] = rows
    if performance is None:
        raise NotFound("performance_elsewhere")
    return str(performance)
