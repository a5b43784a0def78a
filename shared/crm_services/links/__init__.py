"""Whose account a customer is."""
