"""Who may do what to whose customers."""
