"""Price and network: where snapshots come from, and which one counts."""
