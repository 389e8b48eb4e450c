"""What every response carries, and the last net under every request.

Pure ASGI, so that streams are not buffered. It stands outside of everything else: errors carry the headers too.
"""

from __future__ import annotations

import time
from http import HTTPStatus

import structlog
from fastapi import Request
from opentelemetry import trace
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.bounds import RefusedRequestError, check_depth, check_head, is_json
from api.errors import on_http_exception, unexpected
from api.metrics import Metrics
from api.options import ApiOptions
from api.request_ids import HEADER, request_id

log = structlog.get_logger()


_EMBEDDABLE = "voirie.embeddable"


def let_be_embedded(request: Request) -> None:
    """Let the sites of `api.embedding_sites` show the answer to this request in a frame of theirs."""
    request.scope[_EMBEDDABLE] = True


def security_headers(options: ApiOptions, *, embeddable: bool = False) -> dict[str, str]:
    """Return the headers of every response. The tiles' host is allowed only while tiles are on.

    What is `embeddable` may stand in frames of `options.embedding_sites`, if there are any.
    """
    sites = options.embedding_sites if embeddable else ()
    images = " ".join(["'self'", "data:", *([options.tiles_origin] if options.tiles_origin else [])])
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": images,
        "connect-src": "'self'",
        "font-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": " ".join(sites) or "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        # It knows no list of sites; the policy above says the same, and more.
        **({} if sites else {"X-Frame-Options": "DENY"}),
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "cross-origin" if sites else "same-origin",
    }


class Guard:
    """Adds the security headers, names, bounds and times each request, and turns what nobody caught into a problem.

    The framework's own bound on bodies answers in plain text from outside of every error handler, hence this one.
    """

    def __init__(self, app: ASGIApp, *, options: ApiOptions, metrics: Metrics) -> None:
        self._app = app
        self._headers = security_headers(options)
        self._embeddable_headers = security_headers(options, embeddable=True)
        self._metrics = metrics
        self._max_body_bytes = options.max_body_bytes
        self._log_requests = options.log_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = request_id(scope)
        trace.get_current_span().set_attribute("voirie.request_id", named)
        with structlog.contextvars.bound_contextvars(request_id=named):
            await self._serve(scope, receive, send, named)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Return what receives a body that is neither too long nor, as JSON, too deep."""
        received_bytes = 0
        chunks: list[bytes] | None = [] if is_json(scope) else None

        async def receive_bounded() -> Message:
            nonlocal received_bytes
            message = await receive()
            body = message.get("body", b"")
            received_bytes += len(body)
            if received_bytes > self._max_body_bytes:
                raise RefusedRequestError(413, f"expected a body of at most {self._max_body_bytes} bytes")
            if chunks is not None and message["type"] == "http.request":
                chunks.append(body)
                if not message.get("more_body", False):
                    check_depth(b"".join(chunks))
            return message

        return receive_bounded

    async def _serve(self, scope: Scope, receive: Receive, send: Send, named: str) -> None:
        started = time.perf_counter()
        status: int | None = None

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = named
                usual = self._embeddable_headers if scope.get(_EMBEDDABLE) else self._headers
                for name, value in usual.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            check_head(scope)
            scope["state"]["rates"].admit_address(scope)
            await self._app(scope, self._bounded(scope, receive), send_guarded)
        except RefusedRequestError as refused:
            await on_http_exception(Request(scope), refused)(scope, receive, send_guarded)
        except Exception:
            log.exception("request_failed", method=scope["method"], path=scope["path"])
            if status is not None:
                raise  # half a response is out: only closing the connection tells the client
            await unexpected(Request(scope))(scope, receive, send_guarded)
        finally:
            seconds = time.perf_counter() - started
            status = status or HTTPStatus.INTERNAL_SERVER_ERROR
            operation = self._metrics.observe_request(scope, status=status, seconds=seconds)
            if self._log_requests:
                log.info(
                    "request_served",
                    method=scope["method"],
                    operation=operation,
                    status=int(status),
                    milliseconds=round(1000 * seconds, 1),
                )
