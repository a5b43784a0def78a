"""Whose rows are the fleet: the contract's table, or the hosting module's, which not every CRM has."""

from importlib.resources import files

from crm_services.base.errors import MigrationRefused
from crm_services.base.settings import MachineSource
from crm_services.postgres.connecting import Run
from crm_services.postgres.needs import HOSTED

VIEWS = files("crm_services.postgres") / "sql" / "machines"

FOUND = """
select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.oid in (to_regclass('public.hosting_miners'), to_regclass('public.hosting_sites'))
  and a.attnum > 0 and not a.attisdropped
"""


def machines_view(source: MachineSource) -> str:
    """The SQL of the view of that source's rows."""
    return (VIEWS / f"{source}.sql").read_text(encoding="utf-8")


def refuse_without(run: Run, source: MachineSource) -> None:
    """Raise MigrationRefused where the CRM lacks what the source's view reads."""
    if source == "user_miners":
        return
    found: dict[str, set[str]] = {}
    for table, column in run(FOUND):
        found.setdefault(str(table), set()).add(str(column))
    missing = [
        f"table public.{table}" if table not in found else f"column public.{table}.{column}"
        for table, columns in HOSTED.items()
        for column in (columns if table in found else [""])
        if column not in found.get(table, ())
    ]
    if missing:
        raise MigrationRefused(
            f"MachineSource is hosting_miners, and this CRM has no {', no '.join(missing)}. Nothing was changed: "
            "let the CRM install its hosting module, or set MachineSource (MACHINE_SOURCE) to user_miners."
        )
