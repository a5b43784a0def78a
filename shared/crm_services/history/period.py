"""Which days somebody asks for."""

from datetime import date
from typing import NamedTuple

from crm_services.base.errors import BadParameter

MOST_DAYS = 400
USUAL_DAYS = 30

# The first and the last day: unless both are said as many as usual, up to today.
PERIOD = f"""
period as materialized (
  select coalesce(first, upto - {USUAL_DAYS - 1}) as first, upto
  from (
    select :first::date as first,
           least(today, coalesce(:upto::date, :first::date + {MOST_DAYS - 1}, today)) as upto
    from (select (now() at time zone :time_zone::text)::date as today) clock
  ) asked
)
"""


class Period(NamedTuple):
    """From which day on, up to which; None: as far as it goes."""

    first: date | None
    upto: date | None


def period(first: str | None, upto: str | None) -> Period:
    """The period between two dates as ISO 8601 writes them.

    Raises BadParameter for what is none, ends before it begins or is longer than MOST_DAYS.
    """
    found = Period(day_named("from", first), day_named("to", upto))
    if found.first and found.upto and not 0 <= (found.upto - found.first).days < MOST_DAYS:
        earliest = date.fromordinal(max(1, found.upto.toordinal() - MOST_DAYS + 1))
        raise BadParameter("bad_parameter_of", name="from", allowed=f"{earliest} – {found.upto}")
    return found


def day_named(name: str, written: str | None) -> date | None:
    """The date that the parameter of that name is, as ISO 8601 writes it; raises BadParameter for what is none."""
    try:
        return None if written is None else date.fromisoformat(written)
    except ValueError:
        raise BadParameter("bad_parameter_of", name=name, allowed="YYYY-MM-DD") from None
