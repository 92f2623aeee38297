"""Issues tokens: what is refused everywhere, that a rotated refresh token works once, and a note of every request."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from metrics_pipeline.sandbox.request_log import Asked, RequestLog

# Refresh tokens that begin so were revoked by their owner; client secrets that begin so are wrong.
REVOKED_PREFIX = "revoked"
WRONG_PREFIX = "wrong"


@dataclass
class TokenDesk:
    """Remembers which refresh tokens were used up and how many access tokens there are."""

    log: RequestLog
    spent: set[str] = field(default_factory=set)
    issued: int = 0

    def token(self, lifetime: int, owner: str = "") -> dict[str, object]:
        """A new access token; with an owner, one that names it behind `~`."""
        self.issued += 1
        name = f"sandbox-access-{self.issued}" + (f"~{owner}" if owner else "")
        return {"access_token": name, "token_type": "bearer", "expires_in": lifetime}

    def rotated(self, presented: str, lifetime: int) -> dict[str, object]:
        """A new pair that keeps naming its owner; the refresh token presented is used up."""
        self.spent.add(presented)
        owner = presented.rpartition("~")[2] if "~" in presented else ""
        pair = self.token(lifetime, owner)
        return {**pair, "refresh_token": f"sandbox-refresh-{self.issued}" + (f"~{owner}" if owner else "")}

    def refused(self, secret: str, presented: str) -> dict[str, object] | None:
        """The error of RFC 6749 where the application or the refresh token is refused."""
        if not secret or secret.startswith(WRONG_PREFIX):
            return {"error": "invalid_client", "error_description": "The OAuth client was not found."}
        if not presented or presented.startswith(REVOKED_PREFIX) or presented in self.spent:
            return {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        return None

    def reply(self, platform: str, request: Request, body: Mapping[str, object], status: int | None = None) -> Response:
        """The answer, noted; by default an error's status is the one of RFC 6749."""
        error = body.get("error")
        if status is None:
            status = 200 if error is None else 401 if error == "invalid_client" else 400
        self.log.add(Asked(platform, (), request.url.path.removeprefix(f"/{platform}"), status))
        return JSONResponse(dict(body), status)


async def form_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


async def json_of(request: Request) -> dict[str, str]:
    """A JSON body's texts; empty where it is none."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        return {}
    return {name: value for name, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}


def basic_password(header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    return base64.b64decode(encoded).decode().partition(":")[2]
