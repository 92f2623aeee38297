"""Meta's token endpoints: no refresh tokens, a token that is still valid is exchanged for the next."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from metrics_pipeline.sandbox.calls import EXPIRED_PREFIX
from metrics_pipeline.sandbox.token_desk import REVOKED_PREFIX, WRONG_PREFIX, TokenDesk

SIXTY_DAYS = 5_184_000
# Threads tokens that begin so are an hour's, straight from a consent.
SHORT_PREFIX = "short"


@dataclass
class MetaTokens:
    """Instagram and Facebook share an exchange; Threads has one of its own, and a renewal without the application."""

    desk: TokenDesk

    def routes(self) -> list[Route]:
        return [
            Route("/instagram/v26.0/oauth/access_token", self.instagram, methods=["GET"]),
            Route("/facebook/v26.0/oauth/access_token", self.facebook, methods=["GET"]),
            Route("/threads/refresh_access_token", self.threads_renewal, methods=["GET"]),
            Route("/threads/access_token", self.threads_exchange, methods=["GET"]),
        ]

    async def instagram(self, request: Request) -> Response:
        return self._exchange("instagram", request, "fb_exchange_token")

    async def facebook(self, request: Request) -> Response:
        return self._exchange("facebook", request, "fb_exchange_token")

    async def threads_exchange(self, request: Request) -> Response:
        """A short token for a long one."""
        return self._exchange("threads", request, "access_token")

    async def threads_renewal(self, request: Request) -> Response:
        """A long token, at least a day old, for the next."""
        presented = request.query_params.get("access_token", "")
        if presented.startswith(SHORT_PREFIX):
            return self._error("threads", request, 100, "The token is not a long-lived one")
        return self._given("threads", request, presented)

    def _exchange(self, platform: str, request: Request, name: str) -> Response:
        secret = request.query_params.get("client_secret", "")
        if not secret or secret.startswith(WRONG_PREFIX):
            return self._error(platform, request, 1, "Error validating client secret.")
        return self._given(platform, request, request.query_params.get(name, ""))

    def _given(self, platform: str, request: Request, presented: str) -> Response:
        if not presented or presented.startswith((EXPIRED_PREFIX, REVOKED_PREFIX)):
            return self._error(platform, request, 190, "Error validating access token: Session has expired or revoked")
        return self.desk.reply(platform, request, self.desk.token(SIXTY_DAYS))

    def _error(self, platform: str, request: Request, code: int, message: str) -> Response:
        body = {"error": {"message": message, "type": "OAuthException", "code": code}}
        return self.desk.reply(platform, request, body, 400)
