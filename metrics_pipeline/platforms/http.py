"""HTTP towards one platform: limits, retries, waiting, and a record of every answer without its token."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import unquote

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import Account, AccountResult, RawResponse
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError, Scope, redact
from metrics_pipeline.platforms.metering import Meter, Pace, Unmetered, request_of
from metrics_pipeline.settings import Settings

Sleep = Callable[[float], Awaitable[None]]
JsonObject = Mapping[str, object]

# 0.5, 1, 2, 4 seconds with up to half a second of jitter: long enough for a hiccup, short enough for an hourly run.
BACKOFF = wait_exponential_jitter(multiplier=0.5, max=20.0, jitter=0.5)
_SAFE_PATH = re.compile(r"(/(?:[A-Za-z0-9_.:-]|%3A)+)+")
BUDGET_CODE = "request_budget"


@cache
def _certificates() -> ssl.SSLContext:
    """The certificates that are trusted, read once a process: it takes 20 ms, and every run has a client a platform."""
    return httpx.create_ssl_context()


class PlatformClient:
    """One platform's connection pool, shared by every account of a run.

    A limit of the whole app and an operator's stop, once met by one account, hold for all of them.
    """

    def __init__(
        self,
        spec: PlatformSpec,
        dialect: Dialect,
        settings: Settings,
        *,
        sleep: Sleep = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.dialect = dialect
        self.settings = settings
        self.sleep = sleep
        self.clock = settings.clock
        self.app_pause = Pause("app")
        self.stopped: PlatformError | None = None
        self._hosts = spec.hosts
        self._override = settings.base_url(spec.platform)
        self.observes_past = "{at}" in (self._override or "")
        self.meter: Meter = meter or Unmetered()
        self.calls = [call for call in spec.calls if call.applies(settings)]
        # who answers for the past is no platform: its limits are not the platform's
        self.pace = Pace([] if self.observes_past else [limit for limit in spec.limits if limit.applies(settings)])
        self._slots = asyncio.Semaphore(spec.concurrency)
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=_certificates(),
            timeout=settings.http_timeout_seconds,
            limits=httpx.Limits(max_connections=spec.concurrency),
        )

    def session(self, account: Account, at: datetime, result: AccountResult) -> Session:
        """One account's turn, asking about the instant `at`; answers and the call count go into `result`."""
        return Session(self, account, at, result)

    def url(self, host: str, path: str, at: datetime) -> str:
        base = self._override or self._hosts[host]
        end = "/" if self.dialect.trailing_slash else ""
        return base.replace("{at}", f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}").rstrip("/") + path + end

    async def send(
        self, url: str, params: Mapping[str, str], headers: Mapping[str, str], body: JsonObject | None = None
    ) -> httpx.Response:
        """One request, read to its last byte within the timeout: a POST where it has a body, else a GET.

        Raises:
            PlatformError: retry, when the network failed.
        """
        query = None if self.dialect.ready_query else dict(params)
        if self.dialect.ready_query and params:
            url += "?" + "&".join(f"{name}={value}" for name, value in params.items())
        headers = {"Accept": "application/json", **headers}
        method = "GET" if body is None else "POST"
        try:
            async with self._slots, asyncio.timeout(self.settings.http_timeout_seconds):
                return await self._http.request(method, url, params=query, headers=headers, json=body)
        except (httpx.RequestError, TimeoutError) as error:
            # Only the kind of failure: the exception itself knows the request and with it the token.
            raise PlatformError(Act.RETRY, f"no answer from the platform ({type(error).__name__})") from None

    async def aclose(self) -> None:
        await self._http.aclose()


class Pause:
    """An instant before which nothing may be sent, by one account or by all of the application."""

    def __init__(self, scope: Scope = "account") -> None:
        self._scope = scope
        self._until: datetime | None = None
        self._cause: PlatformError | None = None

    def set(self, until: datetime, cause: PlatformError | None = None) -> None:
        """Keep silent until then; `cause` is what those who cannot wait so long are told."""
        if self._until is None or until > self._until:
            self._until, self._cause = until, cause

    async def sit_out(self, client: PlatformClient) -> None:
        """Sleep until the pause is over.

        Raises:
            PlatformError: wait, when it lasts longer than a run may wait.
        """
        if self._until is None:
            return
        left = (self._until - client.clock.now()).total_seconds()
        if left > client.settings.http_max_wait_seconds:
            told = str(self._cause) if self._cause else f"the platform's quota is spent for {left:.0f} more seconds"
            code = self._cause.code if self._cause else None
            raise PlatformError(Act.WAIT, told, wait_seconds=left, scope=self._scope, code=code)
        self._until = None
        if left > 0:
            await client.sleep(left)


class Session:
    """One account's turn on a platform: its token, its request budget, its record of answers."""

    def __init__(self, client: PlatformClient, account: Account, at: datetime, result: AccountResult) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", account.token):
            raise PlatformError(Act.REAUTH, "the stored token is empty or holds characters that no token has")
        self._client = client
        self._account = account
        self._at = at
        self._result = result
        self._pauses: dict[str, Pause] = {}

    async def get(
        self, path: str, params: Mapping[str, str], *, host: str = "api", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET one path of the real API; `headers` are sent beside the token.

        Raises:
            PlatformError: what is left after retries and bearable waits; config, when an id would bend the path.
        """
        return await self._call(path, params, host, headers, None)

    async def post(self, path: str, params: Mapping[str, str], body: JsonObject, *, host: str = "api") -> Answer:
        """POST a JSON body that only asks a question: it is sent again like a GET when it fails.

        Raises:
            PlatformError: as for `get`.
        """
        return await self._call(path, params, host, None, body)

    async def _call(
        self,
        path: str,
        params: Mapping[str, str],
        host: str,
        headers: Mapping[str, str] | None,
        body: JsonObject | None,
    ) -> Answer:
        if not _SAFE_PATH.fullmatch(path) or ".." in path:
            raise PlatformError(Act.CONFIG, "the account's or a post's id holds characters that no id has")
        client = self._client
        retrying = AsyncRetrying(
            sleep=client.sleep,
            stop=stop_after_attempt(client.settings.http_max_attempts),
            retry=retry_if_exception(self._worth_another_try),
            wait=_wait_before_retry,
            reraise=True,
        )
        answer: Answer = await retrying(self._attempt, path, params, host, headers, body)
        return answer

    async def _attempt(
        self,
        path: str,
        params: Mapping[str, str],
        host: str,
        headers: Mapping[str, str] | None,
        body: JsonObject | None,
    ) -> Answer:
        client = self._client
        if client.stopped is not None:
            raise client.stopped
        await client.app_pause.sit_out(client)
        endpoint = re.sub(r"/\d+(?=/|$)", "/{id}", path) if client.dialect.limits_per_endpoint else ""
        pause = self._pauses.setdefault(endpoint, Pause())
        await pause.sit_out(client)
        if self._result.calls >= client.settings.request_budget:
            raise PlatformError(
                Act.WAIT, f"the account has spent its {self._result.calls} requests of this run", code=BUDGET_CODE
            )
        request = request_of(client.calls, self._account, path, params)
        try:
            client.meter.admit(request)
        except PlatformError as spent:
            self._spread(spent)
            raise
        self._result.calls += 1
        answer = None
        try:
            delay = client.pace.delay(request, time.monotonic())
            if delay > 0:
                await client.sleep(delay)
            sent = {**client.dialect.credentials(host, self._account.token), **(headers or {})}
            response = await client.send(client.url(host, path, self._at), params, sent, body)
            answer = self._record(response, path, params, body)
        finally:
            client.meter.settle(request, answer if answer is not None and answer.status < 400 else None)
        # What an answer says about instants, such as a window's reset, is said on the clock that it was asked on.
        there = self._at if client.observes_past else client.clock.now()
        error = client.dialect.classify(answer, there)
        if error is None and answer.body is None:
            error = PlatformError(
                Act.RETRY, "the platform answered with something that is not JSON", status=answer.status
            )
        if error is not None:
            error = error.without(self._account.token)
            self._spread(error)
            raise error
        seconds = client.dialect.quota_used_up(answer, there)
        if seconds is not None:
            pause.set(client.clock.now() + timedelta(seconds=seconds))
        return answer

    def _record(
        self, response: httpx.Response, path: str, params: Mapping[str, str], sent: JsonObject | None
    ) -> Answer:
        """Keep the answer as received, secrets taken out, and decode it. What was sent is the parameter `body`."""
        asked = dict(params) if sent is None else {**params, "body": json.dumps(sent)}
        secret = self._account.token
        readable = unquote if self._client.dialect.ready_query else str
        version_header = self._client.dialect.version_header
        self._result.responses.append(
            RawResponse(
                method="GET" if sent is None else "POST",
                endpoint=redact(readable(path), secret),
                params={name: redact(readable(value), secret) for name, value in asked.items()},
                status=response.status_code,
                api_version=response.headers.get(version_header) if version_header else None,
                received_at=self._client.clock.now(),
                body=redact(response.text, secret),
            )
        )
        try:
            body: object = json.loads(response.content)
        except ValueError:
            body = None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body, asked)

    def _spread(self, error: PlatformError) -> None:
        """Tell the other accounts of the run what concerns them too."""
        if error.act is Act.STOP_PLATFORM:
            self._client.stopped = error
        if error.act is Act.WAIT and error.scope == "app" and error.wait_seconds is not None:
            self._client.app_pause.set(self._client.clock.now() + timedelta(seconds=error.wait_seconds), error)

    def _worth_another_try(self, error: BaseException) -> bool:
        if not isinstance(error, PlatformError):
            return False
        if error.act is Act.WAIT and error.wait_seconds is not None:
            return error.wait_seconds <= self._client.settings.http_max_wait_seconds
        return error.act is Act.RETRY


def _wait_before_retry(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, PlatformError) and error.act is Act.WAIT:
        # An app-wide window is sat out by the shared pause before the next try, not twice.
        return 0.0 if error.scope == "app" else error.wait_seconds or 0.0
    return BACKOFF(state)
