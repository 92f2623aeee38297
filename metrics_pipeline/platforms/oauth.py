"""The next access token, from a platform's token endpoint (RFC 6749 section 6, and what takes its place)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.catalog.oauth import OAuth
from metrics_pipeline.platforms.errors import Act, PlatformError, redact
from metrics_pipeline.platforms.http import BACKOFF, Sleep
from metrics_pipeline.settings import Settings

# At INFO it writes down every URL, and those of some token endpoints hold a token and a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token endpoint gave. A platform that does not rotate gives no new refresh token."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: float | None = None
    refresh_expires_in: float | None = None


async def refresh(
    spec: PlatformSpec,
    settings: Settings,
    presented: str,
    external_id: str,
    *,
    sleep: Sleep = asyncio.sleep,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Grant:
    """Present the stored token that the platform's YAML names and get the next pair for an account.

    Raises:
        PlatformError: reauth, the owner has to sign in again; config, this application's credentials are missing
            or refused; retry, the endpoint did not answer in several tries.
    """
    oauth = spec.oauth_under(settings)
    if oauth is None:
        raise PlatformError(Act.REAUTH, f"the tokens of {spec.label} cannot be refreshed")
    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda e: isinstance(e, PlatformError) and e.act is Act.RETRY),
        stop=stop_after_attempt(settings.http_max_attempts),
        wait=BACKOFF,
        sleep=sleep,
        reraise=True,
    )
    async with httpx.AsyncClient(transport=transport, timeout=settings.http_timeout_seconds) as http:
        endpoint = _Endpoint(http, spec, settings)
        try:
            grant: Grant = await retrying(endpoint.ask, oauth, presented)
        except PlatformError as error:
            other = oauth.otherwise
            if other is None or error.act is Act.RETRY or not endpoint.can_ask(other):
                raise
            oauth, grant = other, await retrying(endpoint.ask, other, presented)
        if oauth.object_path is not None:
            grant = await retrying(endpoint.of_object, oauth, grant, external_id)
        return grant


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """One platform's token endpoint for the length of a refresh."""

    http: httpx.AsyncClient
    spec: PlatformSpec
    settings: Settings

    def can_ask(self, oauth: OAuth) -> bool:
        return not self._missing(oauth)

    async def ask(self, oauth: OAuth, presented: str) -> Grant:
        if self._missing(oauth):
            names = " and ".join(self._missing(oauth))
            raise PlatformError(
                Act.CONFIG,
                f"the token of {self.spec.label} has to be refreshed: set {names} to those of the application it was "
                "issued for",
            )
        given = self._client()
        sent = {"grant_type": oauth.grant, oauth.presented_as: presented}
        auth = None
        if oauth.client_auth == "basic":
            auth = httpx.BasicAuth(given["id"] or "", given["secret"] or "")
        else:
            sent |= {name: given[part] or "" for part, name in oauth.client.items()}
        url = self._url(oauth, oauth.path)
        if oauth.send == "query":
            request = self.http.build_request("GET", url, params=sent)
        elif oauth.send == "json":
            request = self.http.build_request("POST", url, json=sent)
        else:
            request = self.http.build_request("POST", url, data=sent)
        body = await self._send(oauth, request, (presented, given["secret"] or ""), auth)
        return Grant(
            str(body["access_token"]),
            str(body["refresh_token"]) if body.get("refresh_token") else None,
            _number(body, "expires_in"),
            _number(body, "refresh_expires_in") or _number(body, "refresh_token_expires_in"),
        )

    async def of_object(self, oauth: OAuth, grant: Grant, external_id: str) -> Grant:
        """The access token of the account itself, which has no end; what was granted is kept to renew it."""
        if not re.fullmatch(r"\w+", external_id):
            raise PlatformError(Act.CONFIG, "the account's id holds characters that no id has")
        url = self._url(oauth, (oauth.object_path or "").format(external_id=external_id))
        bearer = {"Authorization": f"Bearer {grant.access_token}"}
        request = self.http.build_request("GET", url, headers=bearer)
        body = await self._send(oauth, request, (grant.access_token,))
        return replace(
            grant,
            access_token=str(body["access_token"]),
            refresh_token=grant.access_token,
            expires_in=None,
            refresh_expires_in=grant.expires_in,
        )

    def _client(self) -> dict[str, str | None]:
        client_id, secret = self.settings.client_credentials(self.spec.platform)
        return {"id": client_id, "secret": secret}

    def _missing(self, oauth: OAuth) -> list[str]:
        given = self._client()
        return [f"METRICS_{self.spec.platform.upper()}_CLIENT_{p.upper()}" for p in oauth.client if not given[p]]

    def _url(self, oauth: OAuth, path: str) -> str:
        # a token is always issued now, also by a platform that can be asked about the past
        base = self.settings.base_url(self.spec.platform) or self.spec.hosts[oauth.host]
        return base.replace("/at/{at}", "").rstrip("/") + path

    async def _send(
        self, oauth: OAuth, request: httpx.Request, secrets: tuple[str, ...], auth: httpx.Auth | None = None
    ) -> Mapping[str, object]:
        """The object in which the answer has its access token."""
        try:
            response = await self.http.send(request, auth=auth)
        except httpx.RequestError as error:
            raise PlatformError(Act.RETRY, f"the token endpoint did not answer ({type(error).__name__})") from None
        try:
            decoded = response.json()
        except ValueError:
            decoded = {}
        body: Mapping[str, object] = decoded if isinstance(decoded, dict) else {}
        holder = body.get(oauth.answer_in) if oauth.answer_in else body
        # some endpoints fail with HTTP 200: the token is what tells success
        token = holder.get("access_token") if isinstance(holder, dict) else None
        if response.status_code < 400 and isinstance(holder, dict) and isinstance(token, str) and token:
            return holder
        raise _meaning(oauth, response.status_code, body, secrets)


def _number(body: Mapping[str, object], name: str) -> float | None:
    value = body.get(name)
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def _meaning(oauth: OAuth, status: int, body: Mapping[str, object], secrets: tuple[str, ...]) -> PlatformError:
    """An error is a word with a description, an object with a code and a message, or both at the top of the answer."""
    error = body.get("error")
    told = error if isinstance(error, dict) else body
    code = str((error if isinstance(error, str) else told.get("code")) or status)
    text = told.get("message") or told.get("error_description")
    message = redact(f"the token could not be refreshed: {text or code}", *secrets)
    if status == 429 or status >= 500 or re.fullmatch(oauth.passing, code):
        act = Act.RETRY
    else:
        act = Act.REAUTH if re.fullmatch(oauth.spent, code) else Act.CONFIG
    return PlatformError(act, message, code=code, status=status)
