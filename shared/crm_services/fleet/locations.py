"""Where a fleet stands: the fragment of SQL that figures by location are built on."""

# So many locations have a name of their own in an answer; the others are together.
SHOWN_LOCATIONS = 20
OTHERS, NOWHERE = "__other__", "__none__"

# What a location is called: without the blanks at its ends, as one that nobody can tell apart is the same; '' is none.
# By its bytes: whoever lets a column compare as people do cannot ask what a text begins with.
NAME = "coalesce(left(crm_hosting.trimmed(location), 200), '') collate \"C\""

# No name of the CRM's is one of ours: one that begins as they do has another underscore before it.
_KEY = f"""
  case when place > {SHOWN_LOCATIONS} then '{OTHERS}' when name = '' then '{NOWHERE}'
       when starts_with(name, '__') then '_' || name else name end
"""


def by_location(rows: str) -> str:
    """A JSON object of what `rows` (name, machines, hashrate, power) come to by name, largest hashrate first.

    Nothing is rounded: all of them together are the fleet's figures.
    """
    return f"""
(select coalesce(json_object_agg(key, json_build_object(
          'count', machines, 'hashrate', trim_scale(hashrate), 'power', power) order by place), '{{}}')
 from (
   select {_KEY} as key, min(place) as place, sum(machines) as machines, sum(hashrate) as hashrate, sum(power) as power
   from (
     select sites.*, row_number() over (order by hashrate desc, name collate "C") as place
     from (select name, sum(machines) as machines, sum(hashrate) as hashrate, sum(power) as power
           from ({rows}) standing group by name having sum(machines) > 0) sites
   ) ranked
   group by key
 ) shown)
"""
