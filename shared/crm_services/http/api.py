"""What every endpoint has in common: envelope, session, access, same-origin guard, errors, headers, log line."""

import time
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from math import inf
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import urlencode

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path

from crm_services.access.entry import Caller, verify_resource_access
from crm_services.access.roles import Permission
from crm_services.base.errors import AppError, NotFound, QueryFailed, Unavailable
from crm_services.base.messages import Language, text
from crm_services.base.settings import settings
from crm_services.hosting_integration import CRMHostingIntegrationService
from crm_services.http.answers import Json, to_json
from crm_services.http.cross_site import refuse_cross_site
from crm_services.http.csv import CSV, as_csv, is_asked_for
from crm_services.http.event import Event, complete
from crm_services.http.negotiation import language_named, preferred_language
from crm_services.http.parameters import MAX_ID, customer_id, without_empty_parameters, wrong
from crm_services.http.schemas.envelope import Schema
from crm_services.http.seal import sealed
from crm_services.http.statuses import status_of
from crm_services.http.verification import Verification
from crm_services.postgres.database import Transaction, database
from crm_services.postgres.failures import passes

# By then a request has its answer: the function ends at 29 s, the gateway gives up at 30.
REQUEST_SECONDS = 26.0
# A statement's time limit may pass once and be tried again.
AGAIN_WITHIN_SECONDS = 13.0

CustomerId = Annotated[int, Path(description="crm_customers.id", ge=1, le=MAX_ID)]

NO_MORE: Mapping[str, int | str | None] = MappingProxyType({})

logger = Logger()


class Api(APIGatewayHttpResolver):
    """A resolver for one function: lets the caller in, runs the route within a transaction, answers.

    A route finds the contract in `service`; for what the contract does not know it calls a room's own door with
    `transaction` and `caller`. Without a permission to ask for it is open to everybody, and its route has none of them.
    """

    service: CRMHostingIntegrationService
    transaction: Transaction
    caller: Callable[[], Caller]

    def __init__(self, permission: Permission | None) -> None:
        super().__init__(enable_validation=True, debug=False)  # whatever POWERTOOLS_DEV says: it prints cookies
        self.permission = permission
        self._failure: Exception | None = None
        self._started = 0.0
        self._headers: dict[str, str] = {}
        self._language: Language | None = None
        self._verification = Verification()
        self._table_headers: dict[str, str] = {}
        self.exception_handler(Exception)(self._note_failure)
        self.exception_handler([NotFoundError, RequestValidationError])(self._note_failure)
        self.handler = logger.inject_lambda_context(
            self._handle,
            clear_state=True,
            log_event=False,  # whatever the environment says: an event has the cookie in it
        )

    def _handle(self, event: Event, context: Any) -> dict[str, Any]:
        started = self._started = time.perf_counter()
        event = complete(event)
        self._headers = event["headers"]
        self._language = language_named(event["queryStringParameters"].get("lang"))
        logger.set_correlation_id(event["requestContext"]["requestId"])
        try:
            response = self._let_in_and_answer(event, context)
        except AppError as error:
            response = self._failed(error)
        except Exception as error:
            response = self._failed(AppError(), error)
        is_kept = self.permission is None and response["statusCode"] == HTTPStatus.OK
        response = sealed(response, self._headers, is_kept)
        logger.info(
            "request",
            route=event["routeKey"],
            status=response["statusCode"],
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return response

    @property
    def language(self) -> Language:
        """What the caller asks for (`?lang=`), else the language of the CRM's session, else of the browser."""
        return self._language or preferred_language(self._headers.get("accept-language", ""))

    def has_time(self) -> bool:
        """Whether a run that this request started may go on: its caller waits."""
        return time.perf_counter() - self._started < settings().request_run_seconds

    def table(
        self,
        rows: str,
        of: type[Schema],
        given: str | None,
        more: Mapping[str, int | str | None] = NO_MORE,
        within: str | None = None,
    ) -> Json | None:
        """The rows (a JSON array, or the one `within` an object) as CSV where that is asked for, else None.

        `more` is the parameter, and its value, that asks for the next page: a link to it goes with them.
        """
        if not is_asked_for(given, self._headers.get("accept", "")):
            return None
        self._table_headers = {"Content-Type": f"{CSV}; charset=utf-8", "Content-Disposition": "attachment"}
        if following := {name: str(value) for name, value in more.items() if value is not None}:
            query = urlencode(dict(self.current_event.query_string_parameters) | following)
            self._table_headers["Link"] = f'<{self.current_event.path}?{query}>; rel="next"'
        return Json(as_csv(rows, of.columns(), within))

    def _let_in_and_answer(self, event: Event, context: Any) -> dict[str, Any]:
        if self.permission is None:
            return self._run(event, context, lambda: None)
        read_only = event["requestContext"]["http"]["method"] == "GET"
        if not read_only:
            refuse_cross_site(event["headers"], settings())
        session = self._verification.session(event)
        self._language = self._language or session.language
        user_id = session.user_id
        logger.append_keys(user_id=user_id)
        written = database.commits
        database.until = time.monotonic() + REQUEST_SECONDS
        try:
            return self._answer(event, context, user_id, self.permission, read_only)
        except (Unavailable, QueryFailed) as error:
            is_late = time.perf_counter() - self._started > AGAIN_WITHIN_SECONDS
            if is_late or database.commits > written or not passes(error):
                raise
            logger.append_keys(tried_again=_reason(error))
            return self._answer(event, context, user_id, self.permission, read_only)
        finally:
            database.until = inf

    def _answer(
        self, event: Event, context: Any, user_id: int, permission: Permission, read_only: bool
    ) -> dict[str, Any]:
        with database.transaction(read_only) as transaction:
            customer = customer_id(event)
            if customer is not None:
                logger.append_keys(customer_id=customer)
            verified = verify_resource_access(transaction, user_id, permission, customer)
            if not read_only:
                verified()
            self.transaction, self.caller = transaction, verified
            self.service = CRMHostingIntegrationService(transaction, verified)
            return self._run(event, context, verified)

    def _run(self, event: Event, context: Any, verified: Callable[[], object]) -> dict[str, Any]:
        self._failure, self._table_headers = None, {}
        response = self.resolve(without_empty_parameters(event), context)
        # A read does not wait for this before it goes on, as the scope holds in PostgreSQL; but its answer does, and
        # whoever may not ask is told that before what is wrong with the request.
        verified()
        if self._failure is not None:  # raised here, so that it rolls the transaction back
            raise self._failure
        if self._table_headers:
            response["headers"] = response.get("headers", {}) | self._table_headers
            response.get("multiValueHeaders", {}).pop("Content-Type", None)
        return response

    def _note_failure(self, error: Exception) -> Response[str]:
        if isinstance(error, NotFoundError):
            error = NotFound()
        elif isinstance(error, RequestValidationError):
            error = wrong(error, self.context["_route"])
        self._failure = error
        return Response(HTTPStatus.INTERNAL_SERVER_ERROR, body="")

    def _failed(self, error: AppError, cause: Exception | None = None) -> dict[str, Any]:
        if isinstance(error, QueryFailed) and passes(error):
            error = Unavailable(reason=error.sqlstate)
        fields = dict(error.fields)
        status = status_of(error)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            fields["correlation_id"] = logger.get_correlation_id()
            _log_unexpected(cause or error)
        body = {"success": False, "error": text(error.message, self.language, **fields)}
        response: dict[str, Any] = {"statusCode": int(status), "body": to_json(body)}
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            logger.append_keys(reason=fields.get("reason"))
            response["headers"] = {"Retry-After": "2"}
        elif status == HTTPStatus.TOO_MANY_REQUESTS:
            response["headers"] = {"Retry-After": str(fields["seconds"])}
        return response


def _reason(error: Unavailable | QueryFailed) -> object:
    return error.sqlstate if isinstance(error, QueryFailed) else error.fields.get("reason")


def _log_unexpected(error: Exception) -> None:
    # Where, not what: an exception's message may carry what was asked or found. Ours carry names alone.
    frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    logger.error(
        "unexpected", error=repr(error) if isinstance(error, AppError) else type(error).__name__, frames=frames
    )
