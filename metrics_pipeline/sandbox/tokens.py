"""The platforms' token endpoints that take a refresh token, each with its own habits; Meta's are in meta_tokens.py."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from metrics_pipeline.sandbox.meta_tokens import MetaTokens
from metrics_pipeline.sandbox.request_log import RequestLog
from metrics_pipeline.sandbox.token_desk import TokenDesk, basic_password, form_of, json_of

DAY = 86_400


@dataclass
class TokenEndpoints:
    """One handler per endpoint. Tokens of Pinterest and TikTok keep naming their account behind `~`."""

    desk: TokenDesk

    @classmethod
    def noting(cls, log: RequestLog) -> TokenEndpoints:
        return cls(TokenDesk(log))

    def routes(self) -> list[Route]:
        return [
            Route("/youtube/token", self.youtube, methods=["POST"]),
            Route("/x/2/oauth2/token", self.x, methods=["POST"]),
            Route("/linkedin/oauth/v2/accessToken", self.linkedin, methods=["POST"]),
            Route("/pinterest/v5/oauth/token", self.pinterest, methods=["POST"]),
            Route("/tiktok/v2/oauth/token/", self.tiktok_display, methods=["POST"]),
            Route("/tiktok/open_api/v1.3/tt_user/oauth2/refresh_token/", self.tiktok_accounts, methods=["POST"]),
            *MetaTokens(self.desk).routes(),
        ]

    async def youtube(self, request: Request) -> Response:
        """Google: the refresh token stays the same."""
        form = await form_of(request)
        answer = self.desk.refused(form.get("client_secret", ""), form.get("refresh_token", ""))
        return self.desk.reply("youtube", request, answer or self.desk.token(3_599))

    async def x(self, request: Request) -> Response:
        """X: HTTP Basic, and each refresh token works once."""
        presented = (await form_of(request)).get("refresh_token", "")
        answer = self.desk.refused(basic_password(request.headers.get("authorization", "")), presented)
        return self.desk.reply("x", request, answer or self.desk.rotated(presented, 7_200))

    async def linkedin(self, request: Request) -> Response:
        """LinkedIn: the refresh token stays the same and its end does not move."""
        form = await form_of(request)
        presented = form.get("refresh_token", "")
        answer = self.desk.refused(form.get("client_secret", ""), presented)
        if answer is None:
            same = {"refresh_token": presented, "refresh_token_expires_in": 20_000_000}
            answer = {**self.desk.token(60 * DAY), **same}
        return self.desk.reply("linkedin", request, answer)

    async def pinterest(self, request: Request) -> Response:
        """Pinterest: HTTP Basic, a new refresh token each time."""
        presented = (await form_of(request)).get("refresh_token", "")
        answer = self.desk.refused(basic_password(request.headers.get("authorization", "")), presented)
        if answer is None:
            answer = {**self.desk.rotated(presented, 30 * DAY), "refresh_token_expires_in": 60 * DAY}
        return self.desk.reply("pinterest", request, answer)

    async def tiktok_display(self, request: Request) -> Response:
        """The Display API: the id is a client_key, and a failure comes with status 200."""
        form = await form_of(request)
        presented = form.get("refresh_token", "")
        answer = self.desk.refused(form.get("client_secret", "") if form.get("client_key") else "", presented)
        if answer is None:
            answer = {**self.desk.rotated(presented, 7_200), "refresh_expires_in": 180 * DAY}
        return self.desk.reply("tiktok", request, answer | {"log_id": "SANDBOX"}, 200)

    async def tiktok_accounts(self, request: Request) -> Response:
        """The Accounts API: JSON in, the tokens under `data`, and a failure is a number with status 200."""
        asked = await json_of(request)
        presented = asked.get("refresh_token", "")
        refused = self.desk.refused(asked.get("client_secret", "") if asked.get("client_id") else "", presented)
        answer: dict[str, object] = {"code": 0, "message": "OK", "request_id": "SANDBOX", "data": {}}
        if refused is not None:
            answer["code"] = 40105 if refused["error"] == "invalid_grant" else 40002
            answer["message"] = refused["error_description"]
        else:
            answer["data"] = {**self.desk.rotated(presented, DAY), "refresh_token_expires_in": 365 * DAY}
        return self.desk.reply("tiktok", request, answer, 200)
