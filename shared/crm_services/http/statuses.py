"""Which HTTP status a failure is answered with."""

from http import HTTPStatus

from crm_services.base.errors import (
    AccessDenied,
    AppError,
    BadParameter,
    Conflict,
    NotAuthenticated,
    NotFound,
    TooSoon,
    Unavailable,
)

# The nearest class of a failure decides; what is not here is our own fault.
STATUSES: dict[type[AppError], HTTPStatus] = {
    BadParameter: HTTPStatus.BAD_REQUEST,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    AccessDenied: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooSoon: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(error: AppError) -> HTTPStatus:
    """The status of a failure of that class, or of the nearest one above it."""
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR
