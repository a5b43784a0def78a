"""What to do about a cause that no list of customers leads to, said to whom can do it."""

from collections.abc import Iterable

from crm_services.base.messages import Language, text

# By cause, what is told; to who sees all customers what there is to look at, to the others what they can do themselves.
REMEDIES = {
    "never_synced": "sync_now",
    "sync_old": "sync_now",
    "market_missing": "have_a_market",
    "market_stale": "have_a_market",
    "usd_implausible": "correct_market",
    "btc_implausible": "correct_market",
    "missing_index": "migrate",
}


def remedies(causes: Iterable[str], tenant_id: int | None, language: Language) -> dict[str, str]:
    """A sentence for each of the causes that has one, to who sees this tenant's customers (None: all)."""
    audience = "all" if tenant_id is None else "owner"
    return {cause: text(f"{REMEDIES[cause]}_{audience}", language) for cause in causes if cause in REMEDIES}
