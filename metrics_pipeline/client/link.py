"""One request as the client makes it: with the key, a time limit, repeats where they do no harm, and ETags."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol
from urllib.parse import quote

import httpx
import tenacity

from metrics_pipeline.client.errors import ApiError, Unavailable, error_of
from metrics_pipeline.client.remembered import RememberedAnswers

_Plain = str | int | float | bool | None  # as httpx types it
Value = str | int | date | Sequence[str] | None
# A server that wants to be left alone for longer than this is told of, not waited for.
LONGEST_WAIT = 30.0
_FIRST_WAIT = 0.2
_KEY = re.compile(r"[\x21-\x7e]{1,512}")
# Of a proxy: one of the API's own with a code of its own says that asking again would not help.
_PASSING = frozenset({"http_502", "http_503", "http_504"})
_TOO_MANY, _UNAVAILABLE = 429, 503


class _Bearer(httpx.Auth):
    """Puts the key into a request as it leaves, so that nothing else holds it."""

    def __init__(self, key: str) -> None:
        self._header = f"Bearer {key}"

    def auth_flow(self, request: httpx.Request):  # type: ignore[no-untyped-def]
        request.headers["Authorization"] = self._header
        yield request


class BodyMaker(Protocol):
    """Makes a body anew for each try."""

    def __call__(self) -> bytes: ...


@dataclass(frozen=True)
class Ask:
    """A request. is_repeatable: sending it twice comes to the same as once."""

    method: str
    path: str
    query: Mapping[str, Value] = field(default_factory=dict)
    body: BodyMaker | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeatable: bool = True
    retries: int | None = None
    timeout: float | None = None


class Link:
    """The connection to one server with one key. Safe to use from several threads."""

    def __init__(
        self, base_url: str, key: str, timeout: float, retries: int, transport: httpx.BaseTransport | None
    ) -> None:
        if not _KEY.fullmatch(key):
            raise ValueError("The key is none: it has to be visible ASCII characters, as it was given out.")
        self._timeout, self.retries = timeout, retries
        self._remembered = RememberedAnswers()
        self._client = httpx.Client(
            base_url=_address(base_url),
            auth=_Bearer(key),
            timeout=timeout,
            transport=transport,
            follow_redirects=False,  # the key goes to the one server it is for
            headers={"Accept": "application/json", "User-Agent": "metrics-pipeline-client"},
        )

    @property
    def base_url(self) -> str:
        return str(self._client.base_url)

    def close(self) -> None:
        self._client.close()

    def send(self, ask: Ask) -> bytes:
        """The body of a good answer.

        Raises:
            ApiError: there is none, after as many tries as do no harm.
        """
        if self._client.is_closed:
            raise Unavailable(None, "closed", "The client was closed.")
        retries = self.retries if ask.retries is None else ask.retries
        tries = 1 + (retries if ask.is_repeatable else 0)
        outcome = tenacity.Retrying(
            retry=tenacity.retry_if_result(may_pass),
            stop=lambda state: state.attempt_number >= tries or (_asked_for(state) or 0.0) > LONGEST_WAIT,
            wait=_wait,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )(self._once, ask)
        if isinstance(outcome, bytes):
            return outcome
        raise outcome

    def lines(self, path: str, query: Mapping[str, Value], headers: Mapping[str, str], silence: float) -> Iterator[str]:
        """The lines of an answer that goes on, until it ends; silence: seconds without any after which it has.

        Raises:
            ApiError: at its end, whatever it was.
        """
        failure: ApiError = Unavailable(None, "ended", "The server ended the stream.")
        try:
            with self._client.stream(
                "GET", path, params=_query(query), headers=dict(headers), timeout=silence
            ) as answer:
                if answer.is_success:
                    yield from answer.iter_lines()
                else:
                    failure = error_of(answer.status_code, answer.read(), answer.headers.get("Retry-After"))
        except httpx.HTTPError as error:
            failure = Unavailable(None, "unreachable", f"The connection failed ({type(error).__name__}).")
        raise failure

    def _once(self, ask: Ask) -> bytes | ApiError:
        """One try. Errors are returned, so that what is raised has no trace of how they came about."""
        headers = dict(ask.headers)
        content = None
        if ask.body is not None:
            content = ask.body()
            headers["Content-Type"] = "application/json"
        limit = self._timeout if ask.timeout is None else ask.timeout
        request = self._client.build_request(
            ask.method, ask.path, params=_query(ask.query), content=content, headers=headers, timeout=limit
        )
        url = str(request.url)
        kept = self._remembered.get(url) if ask.method == "GET" else None
        if kept is not None:
            request.headers["If-None-Match"] = kept.etag
        try:
            answer = self._client.send(request)
        except httpx.TimeoutException as error:
            return Unavailable(None, "timeout", f"No answer within {limit:g} s ({type(error).__name__}).")
        except httpx.HTTPError as error:
            return Unavailable(None, "unreachable", f"The connection failed ({type(error).__name__}).")
        if answer.status_code == httpx.codes.NOT_MODIFIED and kept is not None:
            return kept.body
        if not answer.is_success:
            return error_of(answer.status_code, answer.content, answer.headers.get("Retry-After"))
        etag = answer.headers.get("ETag")
        if ask.method == "GET" and etag and "no-store" not in answer.headers.get("Cache-Control", ""):
            self._remembered.put(url, etag, answer.content)
        return answer.content


def may_pass(outcome: object) -> bool:
    """Whether an outcome is an error that the same request may not meet again."""
    if not isinstance(outcome, ApiError):
        return False
    if outcome.status is None or outcome.status in (_TOO_MANY, _UNAVAILABLE):
        return True
    return outcome.code in _PASSING or outcome.code == "request_in_progress"


def segment(text: str) -> str:
    """An id as one part of a path.

    Raises:
        ValueError: it is empty, or would be taken for another path.
    """
    if text in ("", ".", ".."):
        raise ValueError("An id is a text, and neither . nor ..")
    return quote(text, safe="")


def _address(base_url: str) -> str:
    url = httpx.URL(base_url)
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise ValueError("base_url is http:// or https:// with a host, and without a name and password.")
    return base_url.rstrip("/")


def _query(query: Mapping[str, Value]) -> list[tuple[str, _Plain]]:
    pairs: list[tuple[str, _Plain]] = []
    for name, value in query.items():
        if value is None:
            continue
        for each in (value,) if isinstance(value, str | int | date) else value:
            pairs.append((name, each.isoformat() if isinstance(each, date) else str(each)))
    return pairs


def _asked_for(state: tenacity.RetryCallState) -> float | None:
    outcome = state.outcome.result() if state.outcome is not None else None
    return outcome.retry_after if isinstance(outcome, ApiError) else None


def _wait(state: tenacity.RetryCallState) -> float:
    """As long as the server asks for, else longer from try to try; with a part by chance, so that clients spread."""
    asked = _asked_for(state)
    if asked is not None:
        return asked + random.uniform(0, 0.25)  # noqa: S311 - no secret
    longer: float = _FIRST_WAIT * 2.0 ** (state.attempt_number - 1)
    return longer * random.uniform(0.5, 1.5)  # noqa: S311
