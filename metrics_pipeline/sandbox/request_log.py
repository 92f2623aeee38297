"""What was asked of the sandbox, for tests and demos that count calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Lock


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
    _lock: Lock = field(default_factory=Lock)

    def add(self, asked: Asked) -> None:
        with self._lock:
            self._counts[asked] += 1

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()

    def items(self) -> list[tuple[Asked, int]]:
        with self._lock:
            return list(self._counts.items())

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
