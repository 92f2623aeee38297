"""What is kept, what is given, and what a place to keep it has to do."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from metrics_pipeline.api.caching.globs import Glob
from metrics_pipeline.api.caching.keys import CacheKey, escaped

Status = Literal["hit", "miss", "shared", "stale"]


class CacheAway(Exception):  # noqa: N818 - a state
    """The cache that processes share does not answer, so nothing could be done to it."""


@dataclass(frozen=True)
class Made:
    """An answer as it was computed."""

    body: bytes
    media_type: str
    etag: str


@dataclass(frozen=True)
class Entry:
    """An answer that is kept. Bytes, so nobody who gets it can change it."""

    body: bytes
    media_type: str
    etag: str
    made_at: datetime
    tags: frozenset[str]


@dataclass(frozen=True)
class Found:
    """An answer, and where it comes from.

    hit: it was kept. miss: this request computed it. shared: another request did, at the same time. stale: the lake
    cannot be read, and this is the last answer that was computed.
    """

    entry: Entry
    status: Status
    age_seconds: float
    is_degraded: bool
    """The cache is not the one that is set up: Redis does not answer, and this process keeps answers by itself."""
    ttl_seconds: float = 0.0
    """How long it may be given on; negative for a stale one."""


@dataclass(frozen=True)
class Record:
    """The last answer to a question, with the generation of its data. It stays for some time after it is fresh."""

    entry: Entry
    generation: str
    fresh_seconds: float
    kept_seconds: float

    def text(self, stable: str) -> str:
        """The readable key of this answer."""
        return f"{stable}:{escaped(self.generation)}"


Token = tuple[str, str, str]
"""The state of clearing when something was looked up: what was computed before a clearing is not kept after it."""


@dataclass(frozen=True)
class Looked:
    """What a place holds for a question, whatever its generation."""

    record: Record | None
    age_seconds: float
    token: Token
    is_degraded: bool = False

    def fresh(self, generation: str, most_seconds: float | None = None) -> Record | None:
        """The record, if it is of this generation and young enough to be given."""
        record = self.record
        if record is None or record.generation != generation:
            return None
        most = record.fresh_seconds if most_seconds is None else min(record.fresh_seconds, most_seconds)
        return record if self.age_seconds < most else None


@dataclass(frozen=True)
class Selection:
    """What to clear: of one tenant or of all, only what the glob matches, only what carries one of the tags."""

    tenant: str | None
    glob: Glob | None = None
    tags: Collection[str] = ()

    @property
    def prefix(self) -> str:
        """What the keys of the tenant begin with, and nobody else's."""
        return "" if self.tenant is None else f"{escaped(self.tenant)}:"

    def takes(self, stable: str, record: Record) -> bool:
        """Whether a kept answer is meant."""
        if not stable.startswith(self.prefix):
            return False
        if self.tags and record.entry.tags.isdisjoint(self.tags):
            return False
        return self.glob is None or self.glob.matches(record.text(stable))


@dataclass(frozen=True)
class Held:
    """How much is kept."""

    entries: int
    bytes: int


class Store(Protocol):
    """Keeps one answer per question, the last one."""

    async def look(self, key: CacheKey) -> Looked:
        """What is held for this key's question."""
        ...

    async def put(self, key: CacheKey, record: Record, token: Token) -> None:
        """Keep an answer, unless its tenant's were cleared since the token was given."""
        ...

    async def claim(self, key: CacheKey) -> str | None:
        """The right to compute this key's answer, for a short time; None while another process has it."""
        ...

    async def release(self, key: CacheKey, claim: str) -> None:
        """Give the right back."""
        ...

    async def clear(self, selection: Selection) -> int:
        """Forget answers; how many. Raises CacheAway where it cannot be done."""
        ...

    async def held(self, tenant: str | None) -> Held:
        """How much is kept, for one tenant or all."""
        ...

    async def is_shared(self) -> bool:
        """False while this is not the store that was set up."""
        ...

    async def close(self) -> None: ...


Monotonic = Callable[[], float]
