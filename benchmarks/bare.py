"""The libraries that a function is made of, and nothing else: what its cold start is measured against."""

from typing import Any

import pg8000.native  # noqa: F401 (its import is what is measured)
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic import BaseModel

logger = Logger(service="bare")
api = APIGatewayHttpResolver(enable_validation=True)


class Answer(BaseModel):
    """Something to validate."""

    customer_id: int


@api.get("/crm/api/customer/<customer_id>/hosting-stats")
def hosting_stats(customer_id: int) -> Answer:
    """The same route as the function that has it."""
    return Answer(customer_id=customer_id)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer the event."""
    return api.resolve(event, context)
