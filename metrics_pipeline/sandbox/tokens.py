"""The platforms' token endpoints: what a refresh gives, what is refused, and that a rotated token works once."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from metrics_pipeline.sandbox.request_log import Asked, RequestLog

# Refresh tokens that begin so were revoked by their owner; client secrets that begin so are wrong.
REVOKED_PREFIX = "revoked"
WRONG_PREFIX = "wrong"
LIFETIMES = {"youtube": 3_599, "x": 7_200, "instagram": 5_184_000}


@dataclass
class TokenEndpoints:
    """Issues tokens and remembers which refresh tokens were used up."""

    log: RequestLog
    spent: set[str] = field(default_factory=set)
    issued: int = 0

    def routes(self) -> list[Route]:
        return [
            Route("/youtube/token", self.youtube, methods=["POST"]),
            Route("/x/2/oauth2/token", self.x, methods=["POST"]),
            Route("/instagram/v26.0/oauth/access_token", self.instagram, methods=["GET"]),
        ]

    async def youtube(self, request: Request) -> Response:
        """Google: the refresh token stays the same."""
        form = await _form(request)
        answer = self._refused(form.get("client_secret", ""), form.get("refresh_token", ""))
        return self._reply("youtube", request, answer or self._token("youtube"))

    async def x(self, request: Request) -> Response:
        """X: HTTP Basic, and each refresh token works once."""
        form = await _form(request)
        presented = form.get("refresh_token", "")
        secret = _basic_password(request.headers.get("authorization", ""))
        answer = self._refused(secret, presented)
        if answer is None:
            self.spent.add(presented)
            answer = {**self._token("x"), "refresh_token": f"sandbox-refresh-{self.issued}"}
        return self._reply("x", request, answer)

    async def instagram(self, request: Request) -> Response:
        """Meta: a valid long-lived token is exchanged for the next."""
        params = dict(request.query_params)
        presented = params.get("fb_exchange_token", "")
        if not presented or presented.startswith("expired"):
            error = {"message": "Error validating access token: Session has expired", "type": "OAuthException"}
            return self._reply("instagram", request, {"error": {**error, "code": 190, "error_subcode": 463}})
        return self._reply("instagram", request, self._token("instagram"))

    def _token(self, platform: str) -> dict[str, object]:
        self.issued += 1
        lifetime = LIFETIMES[platform]
        return {"access_token": f"sandbox-access-{self.issued}", "token_type": "bearer", "expires_in": lifetime}

    def _refused(self, secret: str, presented: str) -> dict[str, object] | None:
        if not secret or secret.startswith(WRONG_PREFIX):
            return {"error": "invalid_client", "error_description": "The OAuth client was not found."}
        if not presented or presented.startswith(REVOKED_PREFIX) or presented in self.spent:
            return {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        return None

    def _reply(self, platform: str, request: Request, body: Mapping[str, object]) -> Response:
        error = body.get("error")
        status = 200 if error is None else 401 if error == "invalid_client" else 400
        path = request.url.path.removeprefix(f"/{platform}")
        self.log.add(Asked(platform, (), path, status))
        return JSONResponse(dict(body), status)


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


def _basic_password(header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    return base64.b64decode(encoded).decode().partition(":")[2]
