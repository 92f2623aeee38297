"""How often answers were kept ones, in this process since it began."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from metrics_pipeline.api.caching.entries import Held, Status
from metrics_pipeline.api.caching.keys import Tier

# Workspaces whose counts are told apart; those not asked for the longest are forgotten, not their part in the whole.
MOST_TENANTS = 10_000

Outcome = Status | Literal["error"]
Group = tuple[Tier, str]


@dataclass(frozen=True)
class Counts:
    """Requests by what became of them. `errors` are those whose computation failed, the caller's mistakes included."""

    hits: int = 0
    misses: int = 0
    shared: int = 0
    stale: int = 0
    errors: int = 0

    @property
    def requests(self) -> int:
        return self.hits + self.misses + self.shared + self.stale + self.errors

    @property
    def hit_rate(self) -> float | None:
        """Hits of all requests; None where there were none."""
        return self.hits / self.requests if self.requests else None


@dataclass(frozen=True)
class CacheStats(Counts):
    """Counts of all requests, of each tier and kind, and what this process's memory holds.

    A request that was broken off is not counted, nor what was computed to warm the cache.
    """

    since: datetime = field(kw_only=True)
    groups: Mapping[Group, Counts] = field(kw_only=True)
    entries: int = field(kw_only=True)
    bytes: int = field(kw_only=True)
    warmed: int = field(kw_only=True)
    """Answers computed before anybody asked."""


class Statistics:
    """Counts as requests end."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._warmed = 0
        self._all: Counter[tuple[Group, Outcome]] = Counter()
        self._tenants: OrderedDict[str, Counter[tuple[Group, Outcome]]] = OrderedDict()

    def count(self, tenant: str, tier: Tier, kind: str, outcome: Outcome) -> None:
        """A request that ended."""
        what = ((tier, kind), outcome)
        self._all[what] += 1
        self._tenants.setdefault(tenant, Counter())[what] += 1
        self._tenants.move_to_end(tenant)
        if len(self._tenants) > MOST_TENANTS:
            self._tenants.popitem(last=False)

    def count_warmed(self) -> None:
        """An answer that was computed before anybody asked."""
        self._warmed += 1

    def summary(self, tenant: str | None, held: Held) -> CacheStats:
        """The counts of one tenant, or of all."""
        counts = self._all if tenant is None else self._tenants.get(tenant, Counter())
        groups = {group: _counts(counts, group) for group in dict.fromkeys(group for group, _ in counts)}
        return CacheStats(
            hits=sum(each.hits for each in groups.values()),
            misses=sum(each.misses for each in groups.values()),
            shared=sum(each.shared for each in groups.values()),
            stale=sum(each.stale for each in groups.values()),
            errors=sum(each.errors for each in groups.values()),
            entries=held.entries,
            bytes=held.bytes,
            warmed=self._warmed if tenant is None else 0,
            groups=groups,
            since=self._since,
        )


def _counts(counts: Mapping[tuple[Group, Outcome], int], group: Group) -> Counts:
    return Counts(
        hits=counts.get((group, "hit"), 0),
        misses=counts.get((group, "miss"), 0),
        shared=counts.get((group, "shared"), 0),
        stale=counts.get((group, "stale"), 0),
        errors=counts.get((group, "error"), 0),
    )
