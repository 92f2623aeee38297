"""What was asked of the sandbox, for tests and demos that count calls."""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Lock

_ID = re.compile(r"/(?:\d[\d_]*|urn[^/]*)(?=/|$)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One kind of request: which platform, whose numbers (several accounts may share one), which path, the status."""

    platform: str
    accounts: tuple[str, ...]
    path: str
    status: int


@dataclass(slots=True)
class RequestLog:
    """Counts of requests. A request that names several accounts counts once, and for each of them when filtered."""

    _counts: Counter[Asked] = field(default_factory=Counter)
    _by_second: dict[tuple[str, str], Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    _lock: Lock = field(default_factory=Lock)

    def add(self, asked: Asked) -> None:
        with self._lock:
            self._counts[asked] += 1
            self._by_second[asked.platform, _ID.sub("/{id}", asked.path)][int(time.monotonic())] += 1

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()
            self._by_second.clear()

    def items(self) -> list[tuple[Asked, int]]:
        with self._lock:
            return list(self._counts.items())

    def busiest_minute(self) -> dict[tuple[str, str], int]:
        """The most requests that any 60 consecutive seconds saw, by platform and path without ids."""
        with self._lock:
            return {
                key: max(sum(seconds[start + n] for n in range(60)) for start in list(seconds))
                for key, seconds in self._by_second.items()
            }

    def count(
        self,
        platform: str | None = None,
        external_id: str | None = None,
        path: str | None = None,
        status: int | None = None,
    ) -> int:
        """Requests that match everything given; `path` may be a pattern such as `*/insights`."""
        return sum(
            number
            for asked, number in self.items()
            if platform in (None, asked.platform)
            and (external_id is None or external_id in asked.accounts)
            and (path is None or fnmatchcase(asked.path, path))
            and status in (None, asked.status)
        )
