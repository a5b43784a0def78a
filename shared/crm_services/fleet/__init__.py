"""A customer's figures and machines, as they are now."""
