"""Which series a metric has in Redis: taking new ones in up to the cap, forgetting old ones."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from metrics_pipeline.realtime import redis_scripts
from metrics_pipeline.realtime.batches import Batch
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.redis_keys import WORKSPACES, Slot, metrics_of
from metrics_pipeline.realtime.redis_reads import RedisReads
from metrics_pipeline.realtime.series import OVERFLOW_LABELS, Labels, Series, labels_text
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.realtime.widths import SECOND, SERIES_KEPT_SECONDS
from metrics_pipeline.redis_link import RedisLink

# What is known of a metric outlives its last bucket by a day.
REGISTRY_SECONDS = SERIES_KEPT_SECONDS + 86_400


@dataclass
class Known:
    """What this process has seen of a metric."""

    kind: Kind | None = None
    ids: dict[Labels, str] = field(default_factory=dict)
    # numbers of the last batch made, and of the last that Redis confirmed; 0 none
    made: int = 0
    confirmed: int = 0
    # microseconds
    used_at: int = 0

    def is_old(self, now: int) -> bool:
        """Whether Redis may have forgotten this process's numbers, as it should."""
        return now - self.used_at > SERIES_KEPT_SECONDS * SECOND


class RedisSeries:
    """The series of all metrics, and what of them need not be asked again. Raises RedisAway."""

    def __init__(self, link: RedisLink, reads: RedisReads, most_series: int) -> None:
        self._reads, self._most_series = reads, most_series
        self._admit = link.client.register_script(redis_scripts.ADMIT)
        self._forget = link.client.register_script(redis_scripts.FORGET)
        self._known: dict[tuple[str, str], Known] = {}

    def known(self, workspace_id: str, metric: str) -> Known:
        """What this process has seen of a metric."""
        return self._known.setdefault((workspace_id, metric), Known())

    async def place(self, batch: Batch, slot: Slot, now: int) -> tuple[Kind, Mapping[Labels, str]]:
        """The metric's kind, and the id of the series in which each set of labels of that kind counts."""
        known = self.known(batch.workspace_id, batch.metric)
        kind = known.kind or batch.updates[0].kind
        new = _new(batch, kind, known)
        if known.kind is not None and not new:
            return kind, known.ids
        found, has_place = await self._admitted(slot, kind, new, now)
        if found is not kind:
            new = _new(batch, found, known)
            found, has_place = await self._admitted(slot, found, new, now)
        known.kind = found
        overflowed: dict[Labels, str] = {}
        for each, is_in in zip(new, has_place, strict=True):
            series = each.series
            if is_in:
                known.ids[series.labels] = series.id
            else:  # asked again each time: there may be a place by then
                overflowed[series.labels] = series.overflow.id
        return found, ChainMap(overflowed, known.ids)

    async def has_place(self, slot: Slot, series: Series, kind: Kind, at: int, now: int) -> bool:
        """Make a series known if it is not; whether that could be done, and its metric is of this kind."""
        found, places = await self._admitted(slot, kind, [Update(series, kind, 0, at)], now)
        return found is kind and (any(places) or series.is_overflow)

    async def forget(self, slot: Slot, *, before: int | None = None, series: Series | None = None) -> int:
        """Forget series last written to before an instant in microseconds, or one with its buckets; how many went."""
        pages: list[str] = []
        arguments: list[str | int] = ["" if before is None else before]
        known = self.known(slot.workspace_id, slot.metric)
        if series is not None:
            arguments.append(series.id)
            pages = await self._pages(slot, series)
        gone, left = await self._reads.run(self._forget, [*slot.registry, *pages], arguments)
        if gone:
            known.ids.clear()
        if not left:
            known.kind = None
            names = metrics_of(slot.workspace_id)
            await self._reads.ask([("SREM", names, slot.metric)])
            [is_back] = await self._reads.ask([("EXISTS", slot.meta)])
            if is_back:  # another process has just written to it
                await self._reads.ask([("SADD", names, slot.metric)])
        return int(gone)

    def tidy(self, now: int) -> None:
        """Forget what this process knows of metrics it has not written to for days."""
        for key in [key for key, known in self._known.items() if known.is_old(now)]:
            del self._known[key]

    async def _pages(self, slot: Slot, series: Series) -> list[str]:
        registry = await self._reads.registry(slot, "")
        mine = [line for line in registry.lines if line.id == series.id]
        return slot.pages_of(series.id, registry.metric.kind, mine[0].last_at) if registry.metric and mine else []

    async def _admitted(self, slot: Slot, kind: Kind, new: Sequence[Update], now: int) -> tuple[Kind, list[bool]]:
        """The metric's kind, and if it is this one, which of the new series have a place of their own."""
        overflow = Series(slot.workspace_id, slot.metric, OVERFLOW_LABELS)
        unit = new[0].unit if new else ""
        end = now // SECOND + REGISTRY_SECONDS
        arguments = [kind, unit, self._most_series, now, end, overflow.id, labels_text(OVERFLOW_LABELS)]
        for each in new:
            arguments += [each.series.id, labels_text(each.series.labels), each.received_at]
        said, *places = await self._reads.run(self._admit, slot.registry, arguments)
        await self._reads.ask([("SADD", metrics_of(slot.workspace_id), slot.metric)])
        await self._reads.ask([("SADD", WORKSPACES, slot.workspace_id)])
        return Kind(said.decode()), [bool(place) for place in places]


def _new(batch: Batch, kind: Kind, known: Known) -> list[Update]:
    """The first update of each series of that kind which this process does not know yet."""
    found: dict[Labels, Update] = {}
    for each in batch.updates:
        if each.kind is kind and each.series.labels not in known.ids:
            found.setdefault(each.series.labels, each)
    return list(found.values())
