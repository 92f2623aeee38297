"""The next access token, from a platform's token endpoint (RFC 6749 section 6, and Meta's exchange)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from metrics_pipeline.catalog.models import OAuth, PlatformSpec
from metrics_pipeline.platforms.errors import Act, PlatformError, redact
from metrics_pipeline.platforms.http import BACKOFF, Sleep
from metrics_pipeline.settings import Settings

# What a token endpoint says of a grant that will not work again, whoever asks.
_SPENT = {"invalid_grant", "invalid_token", "unauthorized_client", "access_denied"}


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
    *,
    sleep: Sleep = asyncio.sleep,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Grant:
    """Present a refresh token (or, for Meta, a valid access token) and get the next pair.

    Raises:
        PlatformError: reauth, the owner has to sign in again; config, this application's credentials are missing
            or refused; retry, the endpoint did not answer in several tries.
    """
    oauth = spec.oauth
    client_id, client_secret = settings.client_credentials(spec.platform)
    if oauth is None or client_id is None or client_secret is None:
        name = spec.platform.upper()
        raise PlatformError(
            Act.CONFIG,
            f"the token of {spec.label} has to be refreshed: set METRICS_{name}_CLIENT_ID and "
            f"METRICS_{name}_CLIENT_SECRET to those of the application it was issued for",
        )
    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda e: isinstance(e, PlatformError) and e.act is Act.RETRY),
        stop=stop_after_attempt(settings.http_max_attempts),
        wait=BACKOFF,
        sleep=sleep,
        reraise=True,
    )
    async with httpx.AsyncClient(transport=transport, timeout=settings.http_timeout_seconds) as http:
        return await retrying(_ask, http, _url(spec, oauth, settings), oauth, presented, client_id, client_secret)


def _url(spec: PlatformSpec, oauth: OAuth, settings: Settings) -> str:
    # a token is always issued now, also by a platform that can be asked about the past
    base = settings.base_url(spec.platform) or spec.hosts[oauth.host]
    return base.replace("/at/{at}", "").rstrip("/") + oauth.path


async def _ask(
    http: httpx.AsyncClient, url: str, oauth: OAuth, presented: str, client_id: str, client_secret: str
) -> Grant:
    secrets = (presented, client_secret)
    client = {"client_id": client_id, "client_secret": client_secret}
    try:
        if oauth.grant == "fb_exchange_token":
            exchange = {"grant_type": oauth.grant, "fb_exchange_token": presented, **client}
            response = await http.get(url, params=exchange)
        else:
            form = {"grant_type": oauth.grant, "refresh_token": presented}
            if oauth.client_auth == "basic":
                response = await http.post(url, data=form, auth=httpx.BasicAuth(client_id, client_secret))
            else:
                response = await http.post(url, data={**form, **client})
    except httpx.RequestError as error:
        raise PlatformError(Act.RETRY, f"the token endpoint did not answer ({type(error).__name__})") from None
    try:
        body = response.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    access = body.get("access_token")
    # some endpoints fail with HTTP 200: the token is what tells success
    if response.status_code < 400 and isinstance(access, str) and access:
        return Grant(
            access,
            body.get("refresh_token"),
            _number(body, "expires_in"),
            _number(body, "refresh_expires_in") or _number(body, "refresh_token_expires_in"),
        )
    raise _meaning(response.status_code, body, secrets)


def _number(body: Mapping[str, object], name: str) -> float | None:
    value = body.get(name)
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def _meaning(status: int, body: Mapping[str, object], secrets: tuple[str, ...]) -> PlatformError:
    error = body.get("error")
    code = str(error.get("code")) if isinstance(error, dict) else str(error or status)
    text = error.get("message") if isinstance(error, dict) else body.get("error_description")
    message = redact(f"the token could not be refreshed: {text or code}", *secrets)
    if status == 429 or status >= 500:
        return PlatformError(Act.RETRY, message, code=code, status=status)
    is_spent = code in _SPENT or code in ("190", "102")
    return PlatformError(Act.REAUTH if is_spent else Act.CONFIG, message, code=code, status=status)
