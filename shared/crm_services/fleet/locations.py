"""Where fleets stand: the fragments of SQL that requests, the sync and the history are built on."""

# So many locations have a name of their own; the others are together.
SHOWN_LOCATIONS = 20
OTHERS, NOWHERE = "__other__", "__none__"

# By its bytes: whoever lets a column compare as people do cannot ask what a text begins with.
LOCATION = 'location collate "C"'
_NAME = f"left(crm_hosting.trimmed({LOCATION}), 200)"

# What a row's location is shown as: without blanks at its ends, as nobody can tell such names apart. No name of the
# CRM's is one of ours: one that begins as they do has another underscore before it.
KEY = f"""
  case when coalesce({_NAME}, '') = '' then '{NOWHERE}'
       when starts_with({_NAME}, '__') then '_' || {_NAME} else {_NAME} end
"""

# What a row's machines are to those of the other rows: another number wherever one of them is moved, or changed.
FINGERPRINT = f"""
  hashtextextended({LOCATION}, (id::bigint << 32) # (quantity::bigint << 20) # watts
                             # coalesce(hashrate_e4, hashfloat8(actual_hashrate)))
"""


def _ranked(rows: str, of: str) -> str:
    """The first locations of each `of`, largest hashrate first, the others together; of `rows` with key and figures."""
    return f"""
select {of}, case when place > {SHOWN_LOCATIONS} then '{OTHERS}' else key end as key, min(place) as place,
       sum(machines) as machines, trim_scale(sum(hashrate)) as hashrate, sum(power) as power
from (
  select sites.*, row_number() over (
    partition by {of} order by key = '{OTHERS}', hashrate desc, key collate "C") as place
  from (select {of}, key, sum(machines) as machines, sum(hashrate) as hashrate, sum(power) as power
        from ({rows}) standing group by {of}, key having sum(machines) > 0) sites
) ranked
group by {of}, case when place > {SHOWN_LOCATIONS} then '{OTHERS}' else key end
"""


def by_location(rows: str) -> str:
    """A JSON object of what `rows` (account_id, key, machines, hashrate, power) of one account come to by location.

    Nothing is rounded: all locations together are the fleet.
    """
    return f"""
(select coalesce(json_object_agg(
          key, json_build_object('count', machines, 'hashrate', hashrate, 'power', power) order by place), '{{}}')
 from ({_ranked(rows, "account_id")}) shown)
"""


def places(rows: str, of: str) -> str:
    """The same for each `of` as the history keeps it, in few bytes.

    Of several locations an object as JSON text; of one its name, a string, as the figures are the row's; '' where
    nothing has a location.
    """
    return f"""
select {of}, case when count(*) > 1 then
         '{{' || string_agg(to_json(key) || ':[' || machines || ',' || hashrate || ',' || power || ']', ','
                            order by place) || '}}'
         when max(key) = '{NOWHERE}' then '' else to_json(max(key))::text end as places
from ({_ranked(rows, of)}) shown group by {of}
"""


# The one location that a row of the history keeps, and those of any row: a row each, key and [machines, TH/s, W].
ONE_PLACE = f"coalesce(nullif(places, '')::json #>> '{{}}', '{NOWHERE}')"
EACH_PLACE = f"""
json_each(case when starts_with(places, '{{') then places::json else json_build_object(
  {ONE_PLACE}, json_build_array(active + offline + maintenance, hashrate, power)) end)
"""

# What a row of the history keeps as the text of a JSON object for an answer; null where it was kept before anybody
# looked. (As text: the functions that build objects take twice as long, and there may be a row a day.)
SHOWN_PLACES = f"""
case when active + offline + maintenance = 0 then '{{}}' when places is null then null
     when starts_with(places, '{{') then (
       select '{{' || string_agg(to_json(key)::text || ':{{"count":' || (value ->> 0) || ',"hashrate":' || (value ->> 1)
                                || ',"power":' || (value ->> 2) || '}}', ',' order by place) || '}}'
       from json_each(places::json) with ordinality kept (key, value, place))
     else '{{' || coalesce(nullif(places, ''), '"{NOWHERE}"') || ':{{"count":' || active + offline + maintenance
          || ',"hashrate":' || trim_scale(hashrate) || ',"power":' || power || '}}}}' end
"""
