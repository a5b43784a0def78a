"""What the syncs note of links, by the state that it means."""

# A customer of another owner's with the same account is told to nobody but who sees all customers.
ACROSS_OWNERS = "shared_across_owners"


def kinds_of(state: str, tenant_id: int | None) -> list[str]:
    """The findings that mean the state (none where no finding does) to who sees this tenant's customers (None: all)."""
    return {
        "ambiguous": ["ambiguous_email"],
        "lost": ["link_lost"],
        "gone": ["account_gone"],
        "shared": ["shared_account", *([ACROSS_OWNERS] if tenant_id is None else [])],
    }.get(state, [])
