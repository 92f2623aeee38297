"""The outermost layer: every answer is counted, has an id, and says how it may be kept."""

from __future__ import annotations

import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metrics_pipeline.api.operations.measures import Measures
from metrics_pipeline.api.operations.request_log import RequestLog
from metrics_pipeline.api.operations.request_record import RequestRecord, begin_record

NO_ROUTE = "none"


class Requests:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, measures: Measures, log: RequestLog) -> None:
        self._app = app
        self._measures = measures
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        record = begin_record(scope, Headers(scope=scope).get("traceparent"))
        is_told = False

        def tell(status: int | None) -> None:
            nonlocal is_told
            is_told = True
            seconds = time.perf_counter() - started
            route = _template(scope)
            self._measures.count_request(scope["method"], route, status, seconds)
            self._log.tell(scope["method"], route, status, seconds, record.trace_id, record.caller)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message, record)
                tell(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        finally:
            if not is_told:
                tell(None)


def _template(scope: Scope) -> str:
    """The route as it is written in the code: what stands in its place in a request may be somebody's id."""
    return str(getattr(scope.get("route"), "path", NO_ROUTE))


def _add_headers(message: Message, record: RequestRecord) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in record.headers.items():
        headers.setdefault(name, value)
    headers["X-Request-Id"] = record.trace_id
    headers["X-Content-Type-Options"] = "nosniff"
    if message["status"] >= 400:
        headers["Cache-Control"] = "no-store"
    else:
        headers.setdefault("Cache-Control", "no-store")
