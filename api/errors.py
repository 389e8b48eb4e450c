"""Every error leaves the API as problem details (RFC 9457), in one shape, without a word of our insides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from api.addresses import device_address, login_address, root_of
from storage.checks import CheckTakenError
from storage.device_file import LineError
from storage.errors import ConflictError, InputError, NotFoundError, SchemaError, UnavailableError, VoirieError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_UNPARSED = "There was an error parsing the body"
"""The framework's words for what is no text at all; of text that is no JSON it says 422, as we do of both."""
_TYPE_PREFIX = "urn:voirie:problem:"
_KINDS = {
    413: "content-too-large",
    414: "uri-too-long",
    422: "invalid-request",
    429: "too-many-requests",
    431: "header-fields-too-large",
}
"""Kinds of problems whose statuses Python calls by other names from one version to the next."""

_LONGEST_INSTANCE = 1000

DATABASE_AWAY = (psycopg.OperationalError, PoolTimeout, psycopg.errors.UndefinedTable, SchemaError)
"""What is raised when the database does not answer, or has no schema or another one: pages then say so in words."""


class ProblemError(BaseModel):
    """One thing that is wrong in the request."""

    location: list[str | int] = Field(
        description="Where: `path`, `query` or `body`, then names and indexes",
        examples=[["body", "events", 3, "place_id"]],
    )
    detail: str = Field(description="What is wrong there", examples=["commune 93051 has no bin 'COR-9999'"])


class ProblemHeld(BaseModel):
    """Who holds what was asked for."""

    by: str = Field(description="The role that took it", examples=["Patrouille 2"])
    since: datetime
    expires_at: datetime


class Problem(BaseModel):
    """An error, as RFC 9457 describes them. `type` is stable and for machines, `detail` is for people."""

    type: str = Field(description="The kind of problem; never changes meaning", examples=[f"{_TYPE_PREFIX}not-found"])
    title: str = Field(description="The kind of problem, in words", examples=["Not found"])
    status: int = Field(description="The HTTP status", examples=[404])
    detail: str = Field(description="What happened this time", examples=["commune 93051 has no bin 'COR-9999'"])
    instance: str = Field(description="The path that was asked for", examples=["/api/v1/communes/93051/bins/COR-9999"])
    errors: list[ProblemError] = Field(default=[], description="Each thing that is wrong, when there are several")
    held: ProblemHeld | None = Field(
        default=None, description="With `check-taken` alone: who goes there, since and until when"
    )


class ListedError(InputError):
    """Several things are wrong in the request, each with its place; `kind` is the problem's type."""

    kind = "invalid-request"

    def __init__(self, errors: Sequence[ProblemError], *, summary: str) -> None:
        super().__init__(errors[0].detail if len(errors) == 1 else summary)
        self.errors = list(errors)


class EditRefusedError(InputError):
    """The edits break a rule."""

    kind = "edit-refused"


class UnknownPlacesError(ListedError):
    """The request names places that the commune does not have."""

    kind = "unknown-place"

    def __init__(self, errors: Sequence[ProblemError]) -> None:
        super().__init__(errors, summary=f"{len(errors)} places are unknown")


class InvalidFileError(ListedError):
    """The file in the body has faults; nothing was imported."""

    kind = "invalid-file"

    def __init__(self, faults: Sequence[LineError]) -> None:
        errors = [
            ProblemError(
                location=["body", "line", fault.line, *([fault.column] if fault.column else [])], detail=fault.reason
            )
            for fault in faults
        ]
        super().__init__(errors, summary=f"{len(errors)} faults; nothing was imported")


class LogInFirstError(Exception):
    """A page that is not for everybody was asked for by somebody who has not logged in."""


class EnrolFirstError(Exception):
    """A page was asked for by somebody whose role needs a second factor, and who has none."""


class ProveFirstError(Exception):
    """A session is bound to its device, which has to prove again that it is the one."""

    def __init__(self, *, is_page: bool) -> None:
        super().__init__()
        self.is_page = is_page


def problem(
    request: Request,
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    errors: Sequence[ProblemError] = (),
    held: ProblemHeld | None = None,
) -> Response:
    """Return the response for one problem; `kind` defaults to the status's name."""
    title = kind.replace("-", " ").capitalize() if kind else HTTPStatus(status).phrase
    body = Problem(
        type=_TYPE_PREFIX + (kind or title.lower().replace(" ", "-")),
        title=title,
        status=status,
        detail=detail,
        instance=request.scope["path"][:_LONGEST_INSTANCE],
        errors=list(errors),
        held=held,
    )
    return Response(body.model_dump_json(exclude_none=True), status_code=status, media_type=MEDIA_TYPE)


def unexpected(request: Request) -> Response:
    """Return the response for an error that nobody foresaw; the log has the rest."""
    return problem(request, 500, "Voirie failed on this request; the operator's log says why.", kind="internal-error")


def _on_voirie_error(request: Request, error: Exception) -> Response:
    if isinstance(error, ListedError):
        return problem(request, 422, str(error), kind=error.kind, errors=error.errors)
    if isinstance(error, NotFoundError):
        return problem(request, 404, str(error))
    if isinstance(error, ConflictError):
        return _on_conflict(request, error)
    if isinstance(error, InputError):
        return problem(request, 422, str(error), kind=getattr(error, "kind", "invalid-request"))
    if isinstance(error, UnavailableError | SchemaError):
        log.warning("service_unavailable", path=request.url.path, error=str(error))
        return problem(request, 503, str(error))
    log.error("request_failed", path=request.url.path, exc_info=error)
    return unexpected(request)


def _on_conflict(request: Request, error: ConflictError) -> Response:
    if not isinstance(error, CheckTakenError):
        return problem(request, 409, str(error))
    held = ProblemHeld(by=error.held.taken_by, since=error.held.taken_at, expires_at=error.held.expires_at)
    return problem(request, 409, str(error), kind="check-taken", held=held)


def _on_database_error(request: Request, error: Exception) -> Response:
    # The driver's message may name hosts and users: it goes to the log alone.
    log.warning("database_unavailable", path=request.url.path, error=str(error))
    return problem(request, 503, "The database does not answer; try again in a moment.")


def _on_unstorable(request: Request, error: Exception) -> Response:
    # A character that no text has (NUL, half a pair), a number beyond its column.
    log.warning("value_unstorable", path=request.url.path, error=str(error))
    return problem(request, 422, "A value cannot be stored: look for control characters.", kind="invalid-request")


def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [ProblemError(location=list(item["loc"]), detail=item["msg"]) for item in error.errors()]
    detail = errors[0].detail if len(errors) == 1 else f"{len(errors)} values are invalid"
    return problem(request, 422, detail, kind="invalid-request", errors=errors)


def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST and error.detail == _UNPARSED:
        return problem(request, 422, "The body is not JSON in UTF-8.", kind="invalid-request")
    return on_http_exception(request, error)


def on_http_exception(request: Request, error: HTTPException) -> Response:
    """Return the response for an error that has a status and headers of its own."""
    response = problem(request, error.status_code, str(error.detail), kind=_KINDS.get(error.status_code))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(_allowed(request)) or response.headers.get("Allow", "")
    return response


def _allowed(request: Request) -> list[str]:
    """Return every method of the address: the framework's own answer names those of its first route alone."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex.match(path):
            found |= route.methods
    return sorted(found)


def install(app: FastAPI) -> None:
    """Make `app` answer every error with problem details."""
    app.add_exception_handler(VoirieError, _on_voirie_error)
    app.add_exception_handler(psycopg.OperationalError, _on_database_error)
    app.add_exception_handler(psycopg.DataError, _on_unstorable)
    app.add_exception_handler(psycopg.errors.UndefinedTable, _on_no_schema)
    app.add_exception_handler(PoolTimeout, _on_database_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(LogInFirstError, _on_log_in_first)
    app.add_exception_handler(EnrolFirstError, _on_enrol_first)
    app.add_exception_handler(ProveFirstError, _on_prove_first)


def _on_log_in_first(request: Request, error: Exception) -> Response:
    assert isinstance(error, LogInFirstError)
    return RedirectResponse(login_address(request), status_code=303)


def _on_enrol_first(request: Request, error: Exception) -> Response:
    assert isinstance(error, EnrolFirstError)
    return RedirectResponse(f"{root_of(request)}compte", status_code=303)


def _on_prove_first(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProveFirstError)
    if error.is_page:
        return RedirectResponse(device_address(request), status_code=303)
    detail = "this session's device has to prove that it is still the one: answer a challenge of /appareil/defi"
    return problem(request, 401, detail, kind="prove-device")


def _on_no_schema(request: Request, error: Exception) -> Response:
    log.warning("schema_missing", path=request.url.path, error=str(error))
    return problem(request, 503, str(SchemaError()))


def add_schemas(document: dict[str, Any]) -> None:
    """Add the schemas that `documented` refers to; given as `model` they would be documented as plain JSON too."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs") | {Problem.__name__: schema}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's `responses` for the problems that a router may answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in (*statuses, 500)
    }
