"""Requests and answers: session, parameters, statuses, schemas."""
