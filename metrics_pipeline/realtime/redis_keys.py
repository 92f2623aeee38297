"""What things are called in Redis. All keys of one metric carry the same `{}`, so that a cluster keeps them together.

Below PREFIX, with the slot of a metric: `meta` (kind, unit, born, lost), `series` (labels by id), `first` and `last`
(microseconds by id), `writers` (the last batch of each process), `gauges` (observations by id), and the buckets:
`<id>:<width>:<page>`, for distinct values a set, and its registers with `:h`. Hashes of buckets have fields
`<bucket in the page>|<field>`; `x` is when something was last overwritten.
"""

from __future__ import annotations

from hashlib import blake2b

from metrics_pipeline.realtime.kinds import PAGED, Kind
from metrics_pipeline.realtime.series import slot_of
from metrics_pipeline.realtime.widths import SECOND, WIDTHS, Width

PREFIX = "metrics-pipeline:realtime:"
WORKSPACES = f"{PREFIX}workspaces"
REGISTRY = ("meta", "series", "first", "last", "writers", "gauges")


class Slot:
    """The keys of one metric of a workspace."""

    def __init__(self, workspace_id: str, metric: str) -> None:
        self.workspace_id, self.metric = workspace_id, metric
        self._prefix = f"{PREFIX}{{{slot_of(workspace_id, metric)}}}:"
        self.meta, self.series, self.first, self.last, self.writers, self.gauges = self.registry = [
            self._prefix + name for name in REGISTRY
        ]

    def page(self, series_id: str, width: Width, page: int) -> str:
        """Where buckets of a series are."""
        return f"{self._prefix}{series_id}:{width.seconds}:{page}"

    def pages_of(self, series_id: str, kind: Kind, now: int) -> list[str]:
        """All places that may hold buckets of a series at this instant in microseconds."""
        keys = []
        for width in WIDTHS:
            oldest = width.number(now - (width.kept_seconds + width.seconds) * SECOND)
            newest = width.number(now + 2 * 60 * SECOND)
            for page in range(oldest // buckets_in(kind, width), newest // buckets_in(kind, width) + 1):
                keys.append(self.page(series_id, width, page))
                if kind is Kind.DISTINCT:
                    keys.append(registers_of(keys[-1]))
        return keys


def buckets_in(kind: Kind, width: Width) -> int:
    """How many buckets share a page."""
    return width.page if kind in PAGED else 1


def registers_of(page: str) -> str:
    """Where the registers of distinct values are, once there are too many for a set."""
    return page + ":h"


def page_end(kind: Kind, width: Width, page: int) -> int:
    """The second of Unix time at which Redis may forget a page."""
    return (page + 1) * buckets_in(kind, width) * width.seconds + width.kept_seconds


def metrics_of(workspace_id: str) -> str:
    """The set of the names of a workspace's metrics."""
    return f"{PREFIX}metrics:{blake2b(workspace_id.encode(), digest_size=16).hexdigest()}"
