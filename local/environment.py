"""What the bundle finds in its environment on a laptop, and where the laptop keeps things."""

import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
EVENTS = ROOT / "events"
HOME = ROOT / ".local"
DATABASE_DIRECTORY = HOME / "postgres"


def given_database() -> str | None:
    """The database that the caller names in `DATABASE_URL`, if he does."""
    return os.environ.get("DATABASE_URL") or None


def set_environment(database_url: str) -> None:
    """Give this process and its children what the template gives the functions."""
    os.environ["DATABASE_URL"] = database_url
    os.environ["SESSION_SECRET"] = os.environ.get("SESSION_SECRET") or _kept_secret()
    os.environ.setdefault("LINK_SCOPE", "any")
    os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "crm-hosting")
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "CrmHosting")


def _kept_secret() -> str:
    path = HOME / "session-secret"
    if not path.exists():
        HOME.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()
