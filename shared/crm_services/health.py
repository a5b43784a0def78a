"""From figures to a judgement: link rate, error rate and freshness, with the thresholds that the alarms use too."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from crm_services.messages import Language, text

Health = Literal["healthy", "warning", "critical"]


@dataclass(frozen=True)
class Thresholds:
    """Where an alarm rings and `sync-status` warns."""

    link_rate_percent: float = 20
    error_rate_percent: float = 5
    sync_age: timedelta = timedelta(hours=24)
    critical_sync_age: timedelta = timedelta(hours=48)
    market_age: timedelta = timedelta(hours=6)


@dataclass(frozen=True)
class Figures:
    """What is known of a scope at a moment."""

    now: datetime
    total: int
    linked: int
    last_sync: datetime | None = None
    last_synced: int = 0
    last_errors: int = 0
    market_as_of: datetime | None = None
    findings: dict[str, int] = field(default_factory=dict)

    @property
    def link_rate(self) -> float | None:
        """Linked of all customers in percent, None without customers."""
        return 100 * self.linked / self.total if self.total else None

    @property
    def error_rate(self) -> float | None:
        """Errors of the last completed run's operations in percent, None where it had none."""
        operations = self.last_synced + self.last_errors
        return 100 * self.last_errors / operations if operations else None


def judge(figures: Figures, thresholds: Thresholds, language: Language) -> tuple[Health, list[str]]:
    """The health of the synchronisation, and a sentence for each cause with its figure."""
    issues: list[str] = []

    def issue(message: str, **fields: object) -> None:
        issues.append(text(message, language, **fields))

    link_rate, error_rate = figures.link_rate, figures.error_rate
    if link_rate is not None and link_rate < thresholds.link_rate_percent:
        issue("link_rate_low", rate=f"{link_rate:.1f}", limit=f"{thresholds.link_rate_percent:g}")
    if error_rate is not None and error_rate > thresholds.error_rate_percent:
        issue("error_rate_high", rate=f"{error_rate:.1f}", limit=f"{thresholds.error_rate_percent:g}")
    if figures.last_errors:
        issue("customers_failed", count=figures.last_errors)
    if figures.last_sync is None:
        issue("never_synced")
    elif figures.now - figures.last_sync > thresholds.sync_age:
        issue(
            "sync_old",
            hours=_hours(figures.now - figures.last_sync),
            limit=_hours(thresholds.sync_age),
        )
    if figures.market_as_of is None:
        issue("market_missing")
    elif figures.now - figures.market_as_of > thresholds.market_age:
        issue("market_stale", hours=_hours(figures.now - figures.market_as_of))
    for kind, count in figures.findings.items():
        issue(kind, count=count)

    unlinked = figures.total > 0 and figures.linked == 0
    long_ago = figures.last_sync is not None and figures.now - figures.last_sync > thresholds.critical_sync_age
    if unlinked or long_ago:
        return "critical", issues
    return ("warning" if issues else "healthy"), issues


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:.0f}"
