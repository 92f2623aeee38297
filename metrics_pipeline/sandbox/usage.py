"""Counters a server keeps beside its faults: windows behind rate-limit headers and posts billed per day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

_DAYS_KEPT = 90
_TOKENS_KEPT = 10_000


@dataclass(slots=True)
class Usage:
    """Memory of the X side only. Used from the server's one thread."""

    _windows: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _billed: dict[date, set[str]] = field(default_factory=dict)

    def spend(self, token: str, endpoint: str, window: int) -> int:
        """Requests of this token to this endpoint in the window, this one included."""
        if len(self._windows) > _TOKENS_KEPT:
            self._windows.clear()
        known, count = self._windows.get((token, endpoint), (window, 0))
        count = count + 1 if known == window else 1
        self._windows[(token, endpoint)] = (window, count)
        return count

    def bill(self, day: date, post_ids: Iterable[str]) -> None:
        """Posts handed out on a UTC day; the same post costs once a day."""
        self._billed.setdefault(day, set()).update(post_ids)
        while len(self._billed) > _DAYS_KEPT:
            del self._billed[min(self._billed)]

    def billed(self) -> Counter[date]:
        return Counter({day: len(posts) for day, posts in self._billed.items()})
