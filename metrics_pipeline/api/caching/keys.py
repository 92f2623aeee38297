"""Under which names answers are kept: readable ones, that no id can make collide or reach another workspace's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cached_property
from urllib.parse import quote

# 128 bits: whoever sends queries cannot find two of one digest.
_DIGEST_LETTERS = 32
# Left readable: no separator of keys and nothing that a pattern, ours or Redis's, reads as more than itself.
_READABLE = "/@,+="


class Tier(Enum):
    """How long an answer is kept, by what it is about."""

    LIVE = "live"
    DASHBOARD = "dashboard"
    AGGREGATE = "aggregate"
    CLOSED = "closed"


@dataclass(frozen=True)
class CacheKey:
    """What an answer is an answer to, whose it is, and of which data."""

    tenant: str
    kind: str
    """The route, by a short name."""
    entity: str
    period: str
    query: str
    """All that was asked, as `canonical_query` writes it."""
    generation: str
    """Of the data: another one whenever the answer might come out differently."""

    @cached_property
    def stable(self) -> str:
        """The key without its generation: the same question, whatever the data."""
        digest = hashlib.sha256(self.query.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LETTERS]
        parts = (self.tenant, self.kind, self.entity, self.period, digest)
        return ":".join(escaped(part) for part in parts)

    @cached_property
    def text(self) -> str:
        """`tenant:kind:entity:period:query:generation`; of two different keys never the same."""
        return f"{self.stable}:{escaped(self.generation)}"


def escaped(part: str) -> str:
    """A part of a key: what is no letter, digit or one of `-._~/@,+=` as %XX of its UTF-8. Nothing is lost."""
    return quote(part, safe=_READABLE, errors="surrogatepass")


def canonical_query(query: Mapping[str, object]) -> str:
    """One text for one query, in whatever order it was written; times in UTC.

    Raises:
        TypeError: a value is no plain JSON, date, time, Enum or collection of those.
    """
    return json.dumps(_plain(query), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time without an offset is no instant")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_name(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(inner) for inner in value), key=json.dumps)
    raise TypeError(f"a query cannot hold a {type(value).__name__}")


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError("a query is named by texts")  # JSON would write 1 and "1" alike
    return name
