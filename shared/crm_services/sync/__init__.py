"""What the sync writes into the CRM: of one customer, and of all of them in runs that lose nothing."""
