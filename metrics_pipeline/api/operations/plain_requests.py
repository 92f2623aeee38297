"""Refuses addresses and headers that no route could make sense of, before any of them tries."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from metrics_pipeline.api.problems import Problem

# A page's cursor has up to 2,000 characters, and a question may name every metric there is.
LONGEST_ADDRESS = 8192
# A token has up to 8 KB; the server below has no bound of its own.
MOST_HEADER_BYTES = 32_768


class PlainRequests:
    """Lets through what is UTF-8 without NUL and not too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = _wrong_with(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await problem.response()(scope, receive, send)


def _wrong_with(scope: Scope) -> Problem | None:
    path, query = scope.get("raw_path") or b"", scope["query_string"]
    if len(path) + len(query) > LONGEST_ADDRESS:
        return Problem(414, "uri_too_long", f"Path and query may have at most {LONGEST_ADDRESS} bytes.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
        return Problem(431, "headers_too_large", f"Headers may have at most {MOST_HEADER_BYTES} bytes.")
    if not _is_text(path) or not _is_text(query):
        return Problem(400, "invalid_url", "Path and query have to be UTF-8, percent-encoded, without NUL.")
    return None


def _is_text(encoded: bytes) -> bool:
    """Whether a name made of these bytes can be stored anywhere: no database takes NUL or half a character."""
    found = unquote_to_bytes(encoded)
    try:
        found.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in found
