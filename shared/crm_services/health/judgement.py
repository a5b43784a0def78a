"""From figures to a judgement: link rate, error rate and freshness, with the thresholds that the alarms use too."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from crm_services.base.messages import Language, text
from crm_services.base.settings import HOUR, Thresholds
from crm_services.market.newest import Market

Health = Literal["healthy", "warning", "critical"]


@dataclass(frozen=True)
class Figures:
    """What is known of a scope at a moment; operations and failures are those of its last completed run."""

    now: datetime
    total: int
    linked: int
    last_sync: datetime | None = None
    operations: int = 0
    failed: int = 0
    market: Market | None = None
    findings: dict[str, int] = field(default_factory=dict)


def judge(figures: Figures, thresholds: Thresholds, language: Language) -> tuple[Health, dict[str, str]]:
    """The health of the synchronisation, and of each cause, by its name, a sentence with its figure."""
    issues: dict[str, str] = {}

    def issue(message: str, **fields: object) -> None:
        issues[message] = text(message, language, **fields)

    def beyond(message: str, figure: Decimal, limit: Decimal, decimals: int) -> None:
        issue(message, figure=_told_from(limit, figure, decimals), limit=f"{limit:f}")

    # Multiplied out: a quotient could be rounded up to the threshold that it misses.
    if 100 * figures.linked < thresholds.link_rate_percent * figures.total:
        beyond("link_rate_low", Decimal(100 * figures.linked) / figures.total, thresholds.link_rate_percent, 1)
    if 100 * figures.failed > thresholds.error_rate_percent * figures.operations:
        beyond("error_rate_high", Decimal(100 * figures.failed) / figures.operations, thresholds.error_rate_percent, 1)
    if figures.failed:
        issue("customers_failed", count=figures.failed)
    if figures.last_sync is None:
        issue("never_synced")
    elif (age := figures.now - figures.last_sync) > thresholds.sync_age:
        beyond("sync_old", _hours(age), _hours(thresholds.sync_age), 0)
    is_implausible = False
    if figures.market is None:
        issue("market_missing")
    else:
        if (age := figures.now - figures.market.as_of) > thresholds.market_age:
            beyond("market_stale", _hours(age), _hours(thresholds.market_age), 0)
        for figure, limit, decimals, message in (
            (figures.market.usd_per_terahash, thresholds.usd_per_terahash, 2, "usd_implausible"),
            (figures.market.btc_per_terahash, thresholds.btc_per_terahash, 4, "btc_implausible"),
        ):
            if figure > limit:
                is_implausible = True
                beyond(message, figure, limit, decimals)
    for finding, count in figures.findings.items():
        issue(finding, count=count)

    is_unlinked = figures.total > 0 and figures.linked == 0
    is_long_ago = figures.last_sync is not None and figures.now - figures.last_sync > thresholds.critical_sync_age
    if is_unlinked or is_long_ago or is_implausible:
        return "critical", issues
    return ("warning" if issues else "healthy"), issues


def _hours(age: timedelta) -> Decimal:
    return Decimal(age // timedelta(microseconds=1)) / (HOUR // timedelta(microseconds=1))


def _told_from(limit: Decimal, figure: Decimal, decimals: int) -> str:
    """The figure with as many decimals, but more where it would read like the limit: 19.96 is not "20.0"."""
    shown = f"{figure:.{decimals}f}"
    if (Decimal(shown) < limit) == (figure < limit) and (Decimal(shown) > limit) == (figure > limit):
        return shown
    return _told_from(limit, figure, decimals + 1)
