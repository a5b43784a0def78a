"""What every endpoint has in common: envelope, session, access, same-origin guard, errors, headers, log line."""

import json
import time
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import UnionType
from typing import Annotated, Any, NewType

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel

from crm_services import access, session
from crm_services.access import Permission
from crm_services.cross_site import refuse_cross_site
from crm_services.database import database
from crm_services.errors import AppError, ConnectionLost, NotAuthenticated, NotFound
from crm_services.hosting_integration import CRMHostingIntegrationService
from crm_services.messages import Language, text
from crm_services.negotiation import accepts_gzip, gzipped, preferred_language
from crm_services.parameters import MAX_ID, customer_id, without_empty_parameters, wrong
from crm_services.schemas import Failure
from crm_services.settings import session_secrets, settings

GZIP_FROM_BYTES = 4096
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Content-Type": "application/json; charset=utf-8",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Cookie, Accept-Encoding, Accept-Language, Origin",
    "X-Content-Type-Options": "nosniff",
}

Event = Mapping[str, Any]
Model = type[BaseModel] | UnionType
Json = NewType("Json", str)
CustomerId = Annotated[int, Path(description="crm_customers.id", ge=1, le=MAX_ID)]

logger = Logger()


def ok(data: str | object = None, **members: object) -> Json:
    """A success; `data` that is a string is JSON already, as PostgreSQL wrote it."""
    parts = ['"success": true']
    if data is not None:
        parts.append('"data": ' + (data if isinstance(data, str) else _json(data)))
    parts += [f'"{name}": {_json(value)}' for name, value in members.items()]
    return Json("{" + ", ".join(parts) + "}")


def answers(model: Model, *failures: int, accepted: Model | None = None) -> dict[int, Any]:
    """What an endpoint is documented to answer: its models, these failures, or one of those that all of them share."""
    models: dict[int, Model] = dict.fromkeys((*failures, 401, 403, 500, 503), Failure) | {200: model}
    if accepted is not None:
        models[202] = accepted
    return {status: _documented(HTTPStatus(status).phrase, one) for status, one in sorted(models.items())}


def opens(content_type: str, schema: dict[str, Any]) -> dict[int, Any]:
    """What an endpoint is documented to answer that is open to everybody and holds no data."""
    return {200: {"description": "OK", "content": {content_type: {"schema": schema}}}} | {
        500: _documented(HTTPStatus.INTERNAL_SERVER_ERROR.phrase, Failure)
    }


class Api(APIGatewayHttpResolver):
    """A resolver for one function: lets the caller in, runs the route within a transaction, answers.

    Without a permission to ask for it is open to everybody, and its route has no service.
    """

    service: CRMHostingIntegrationService

    def __init__(self, permission: Permission | None) -> None:
        super().__init__(enable_validation=True, debug=False)  # whatever POWERTOOLS_DEV says: it prints cookies
        self.permission = permission
        self._failure: Exception | None = None
        self._started = 0.0
        self._headers: Mapping[str, str] = {}
        self.exception_handler(Exception)(self._note_failure)
        self.exception_handler([NotFoundError, RequestValidationError])(self._note_failure)
        self.handler = logger.inject_lambda_context(
            self._handle,
            clear_state=True,
            log_event=False,  # whatever the environment says: an event has the cookie in it
        )

    def _handle(self, event: Event, context: Any) -> dict[str, Any]:
        started = self._started = time.perf_counter()
        self._headers = event["headers"]
        logger.set_correlation_id(event["requestContext"]["requestId"])
        try:
            response = self._let_in_and_answer(event, context)
        except AppError as error:
            response = self._failed(error)
        except Exception as error:
            response = self._failed(AppError(), error)
        response["headers"] = HEADERS | response.get("headers", {})
        if len(response["body"]) >= GZIP_FROM_BYTES and accepts_gzip(self._headers.get("accept-encoding", "")):
            response["headers"]["Content-Encoding"] = "gzip"
            response |= {"body": gzipped(response["body"]), "isBase64Encoded": True}
        logger.info(
            "request",
            route=event["routeKey"],
            status=response["statusCode"],
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return response

    @property
    def language(self) -> Language:
        """What the caller prefers to read."""
        return preferred_language(self._headers.get("accept-language", ""))

    def has_time(self) -> bool:
        """Whether a run that this request started may go on: its caller waits."""
        return time.perf_counter() - self._started < settings().request_run_seconds

    def _let_in_and_answer(self, event: Event, context: Any) -> dict[str, Any]:
        if self.permission is None:
            return self._run(event, context, lambda: None)
        read_only = event["requestContext"]["http"]["method"] == "GET"
        if not read_only:
            refuse_cross_site(event["headers"], settings())
        user_id = _user_id(event)
        logger.append_keys(user_id=user_id)
        try:
            return self._answer(event, context, user_id, self.permission, read_only)
        except ConnectionLost:
            if not read_only:
                raise
            return self._answer(event, context, user_id, self.permission, read_only)

    def _answer(
        self, event: Event, context: Any, user_id: int, permission: Permission, read_only: bool
    ) -> dict[str, Any]:
        with database.transaction(read_only) as transaction:
            customer = customer_id(event)
            if customer is not None:
                logger.append_keys(customer_id=customer)
            verified = access.verify_resource_access(transaction, user_id, permission, customer)
            if not read_only:
                verified()
            self.service = CRMHostingIntegrationService(transaction, verified)
            return self._run(event, context, verified)

    def _run(self, event: Event, context: Any, verified: Callable[[], object]) -> dict[str, Any]:
        self._failure = None
        response = self.resolve(without_empty_parameters(event), context)
        # A read does not wait for this before it goes on, as the scope holds in PostgreSQL; but its answer does, and
        # whoever may not ask is told that before what is wrong with the request.
        verified()
        if self._failure is not None:  # raised here, so that it rolls the transaction back
            raise self._failure
        return response

    def _note_failure(self, error: Exception) -> Response[str]:
        if isinstance(error, NotFoundError):
            error = NotFound()
        elif isinstance(error, RequestValidationError):
            error = wrong(error, self.context["_route"])
        self._failure = error
        return Response(HTTPStatus.INTERNAL_SERVER_ERROR, body="")

    def _failed(self, error: AppError, cause: Exception | None = None) -> dict[str, Any]:
        fields = dict(error.fields)
        if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            fields["correlation_id"] = logger.get_correlation_id()
            _log_unexpected(cause or error)
        body = {"success": False, "error": text(error.message, self.language, **fields)}
        response: dict[str, Any] = {"statusCode": int(error.status), "body": _json(body)}
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            logger.append_keys(reason=fields.get("reason"))
            response["headers"] = {"Retry-After": "2"}
        return response


def _user_id(event: Event) -> int:
    cookie = session.session_cookie(event.get("cookies", []))
    now = event["requestContext"]["timeEpoch"] / 1000
    try:
        return session.user_id_of(cookie, session_secrets(), now)
    except NotAuthenticated:  # the secret may have been rotated
        return session.user_id_of(cookie, session_secrets(refresh=True), now)


def _log_unexpected(error: Exception) -> None:
    # Where, not what: an exception's message may carry what was asked or found. Ours carry names alone.
    frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    logger.error(
        "unexpected", error=repr(error) if isinstance(error, AppError) else type(error).__name__, frames=frames
    )


def _documented(description: str, model: Model) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"model": model}}}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
