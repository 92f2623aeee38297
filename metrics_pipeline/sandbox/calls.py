"""One request as a platform's simulation sees it, and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from metrics_pipeline.sandbox.faults import FaultBook
from metrics_pipeline.sandbox.usage import Usage
from metrics_pipeline.sandbox.world import World

EXPIRED_PREFIX = "expired"
Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON answer. `raw` replaces the body's text where the answer is meant to be broken."""

    body: Body
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: str | None = None


class RefusedError(Exception):
    """The simulated platform says no; carries the answer in the platform's own form."""

    def __init__(
        self, status: int, body: Body, headers: Mapping[str, str] | None = None, raw: str | None = None
    ) -> None:
        super().__init__(f"HTTP {status}")
        self.reply = Reply(body, status, headers or {}, raw)


class Vocabulary(Protocol):
    """How one platform says what every platform says."""

    def no_token(self) -> RefusedError: ...

    def expired(self) -> RefusedError: ...

    def throttled(self, call: Call, external_id: str, reset_seconds: int) -> RefusedError: ...

    def server_error(self, status: int) -> RefusedError: ...

    def permission(self) -> RefusedError: ...


@dataclass(slots=True)
class Call:
    """One request: path segments and parameters after the platform segment, and the instant to answer for.

    headers are looked up without regard to case; query is the text behind the question mark, still encoded; body
    is the decoded JSON of a POST, None for a GET.
    """

    platform: str
    path: str
    params: Mapping[str, str]
    token: str | None
    at: float
    base_url: str
    world: World
    faults: FaultBook
    usage: Usage
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: object = None
    accounts: tuple[str, ...] = ()
    delay_seconds: float = 0.0

    @property
    def segments(self) -> list[str]:
        return [part for part in self.path.split("/") if part]

    def listed(self, name: str) -> list[str]:
        """A comma-separated parameter as its parts, without empty ones."""
        return [part.strip() for part in self.params.get(name, "").split(",") if part.strip()]

    def check_token(self, words: Vocabulary) -> str:
        """The token sent.

        Raises:
            RefusedError: none was sent, or it is an expired one.
        """
        if not self.token:
            raise words.no_token()
        if self.token.startswith(EXPIRED_PREFIX):
            raise words.expired()
        return self.token

    def guard(self, words: Vocabulary, *external_ids: str) -> None:
        """Note whose numbers are asked and let the faults of those accounts speak.

        Raises:
            RefusedError: a fault that is switched on refuses this request.
        """
        self.accounts = tuple(dict.fromkeys(external_ids))
        for external_id in self.accounts:
            self._let_faults_speak(words, external_id)

    def _let_faults_speak(self, words: Vocabulary, external_id: str) -> None:
        here = (self.platform, external_id)
        for fault in self.faults.of(*here, "slow"):
            self.delay_seconds += (fault.ms or 0) / 1_000
        if any(fault.token in (None, self.token) for fault in self.faults.of(*here, "token_expired")):
            raise words.expired()
        throttled = self.faults.strike(*here, "throttled")
        if throttled is not None:
            raise words.throttled(self, external_id, throttled.reset_seconds)
        failing = self.faults.strike(*here, "server_errors")
        if failing is not None:
            raise words.server_error(failing.status)
        luck = self.faults.luck(*here)
        if luck is not None and luck[1] == "fails":
            raise words.server_error(luck[0].status)
        if luck is not None:
            self.delay_seconds += (luck[0].ms or 0) / 1_000
        if self.faults.of(*here, "permission"):
            raise words.permission()
        if self.faults.strike(*here, "malformed") is not None:
            raise RefusedError(200, {}, raw='{"data": [{"id": "')
