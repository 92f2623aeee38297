"""The client of the HTTP interface."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx

from metrics_pipeline.client.defining import Defining
from metrics_pipeline.client.link import Link
from metrics_pipeline.client.listening import Listening
from metrics_pipeline.client.reading import Reading
from metrics_pipeline.client.running import Running
from metrics_pipeline.client.sending import Sending


class MetricsClient(Reading, Defining, Listening, Sending, Running):
    """Speaks to one server with one key. Safe to use from several threads; close it, or use it in a `with`.

    timeout: seconds to wait for the connection, and for each part of an answer. retries: further tries of requests
    that may be repeated, after failed connections, 429, 502, 503 and 504. transport: httpx's, for proxies and
    certificates of one's own. now: the clock that events happen and are sent by.

    Raises (every method):
        ApiError: or one of its kinds AuthError, NotFound, RateLimited, Unavailable.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float = 30.0,
        retries: int = 3,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(Link(base_url, key, timeout, retries, transport), now)

    @property
    def base_url(self) -> str:
        """Where the server is."""
        return self._link.base_url

    def close(self) -> None:
        """Let go of the connections."""
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"MetricsClient({self.base_url!r})"
