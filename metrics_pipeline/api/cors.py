"""Cross-origin requests: pages of an origin that a valid browser key names may send events. Never with cookies."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metrics_pipeline.api.auth import Guard
from metrics_pipeline.api.problems import Problem

PATHS = "/v1/events/"
# A preflight names no key, so it is answered for every origin in use; the request itself is held to its key's own.
PREFLIGHT_SECONDS = 600
EXPOSED = "RateLimit, RateLimit-Policy, Retry-After"


class BrowserOrigins:
    """Answers preflights, and lets pages of known origins read the answers."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None or not scope["path"].startswith(PATHS):
            await self._app(scope, receive, send)
            return
        known = origin.lower() in await self._guard.origins()

        async def with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if known:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Expose-Headers"] = EXPOSED
            await send(message)

        if scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
            await _preflight(known)(scope, receive, with_origin)
        else:
            await self._app(scope, receive, with_origin)


def _preflight(known: bool) -> Response:
    if not known:
        return Problem(403, "origin_not_allowed", "No key works from this origin.").response()
    allowed = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }
    return Response(status_code=204, headers=allowed)
