"""Reading buckets out of Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metrics_pipeline.realtime import redis_scripts
from metrics_pipeline.realtime.answers import Loaded, Metric
from metrics_pipeline.realtime.distinct import Distinct
from metrics_pipeline.realtime.gauges import Gauge
from metrics_pipeline.realtime.kinds import Bucket, Kind, empty, merge
from metrics_pipeline.realtime.redis_keys import Slot, buckets_in, registers_of
from metrics_pipeline.realtime.series import OVERFLOW_LABELS, Labels, Series, labels_of, labels_text
from metrics_pipeline.realtime.widths import Plan, Width
from metrics_pipeline.redis_link import RedisLink

# Pages of sums are small; a bucket of a histogram has hundreds of fields, one of distinct values thousands.
PAGES_AT_ONCE = {Kind.HISTOGRAM: 50, Kind.DISTINCT: 20}
SMALL_PAGES_AT_ONCE = 200

Command = tuple[str | bytes | int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One series as the registry has it; times in microseconds."""

    id: str
    labels: Labels
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Registry:
    """What is known of a metric."""

    metric: Metric | None
    lines: Sequence[Line]
    # whether there is a series for what is beyond the cap
    overflow: bool
    # when updates were found to be missing, 0 never
    lost_at: int
    # the number of the last batch of the process that asks
    written: int
    # keys that Redis has thrown away for want of memory since it began, whosever they were
    evicted: int


class RedisReads:
    """Questions to Redis, each answered well within what RedisLink waits. All raise RedisAway."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._lines = link.client.register_script(redis_scripts.LINES)

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to some commands of one slot."""

        async def question() -> list[Any]:
            async with self._link.client.pipeline(transaction=False) as pipe:
                for each in commands:
                    pipe.execute_command(*each)
                return list(await pipe.execute())

        return await self._link.ask(question)

    async def run(self, script: Callable[..., Awaitable[Any]], keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """What a script returns."""
        return await self._link.ask(lambda: script(keys=keys, args=arguments))

    async def registry(self, slot: Slot, process: str, labels: Labels = ()) -> Registry:
        """A metric and those of its series that have these labels, by labels."""
        overflow = Series(slot.workspace_id, slot.metric, OVERFLOW_LABELS).id
        meta, written, has_overflow, statistics = await self.ask(
            [
                ("HGETALL", slot.meta),
                ("HGET", slot.writers, process),
                ("HEXISTS", slot.series, overflow),
                ("INFO", "stats"),
            ]
        )
        metric = None
        if b"kind" in meta:
            metric = Metric(Kind(meta[b"kind"].decode()), meta.get(b"unit", b"").decode(), int(meta[b"born"]))
        # each pair as it stands in the text of all labels: a value's own quotes are escaped, so it is nowhere else
        pairs = [labels_text((pair,))[1:-1] for pair in labels]
        flat = await self.run(self._lines, [slot.series, slot.first, slot.last], pairs)
        lines = [
            Line(flat[i].decode(), labels_of(flat[i + 1]), int(float(flat[i + 2])), int(float(flat[i + 3])))
            for i in range(0, len(flat), 4)
        ]
        lines.sort(key=lambda line: line.labels)
        evicted = int(statistics.get("evicted_keys", 0))
        return Registry(metric, lines, bool(has_overflow), int(meta.get(b"lost", 0)), int(written or 0), evicted)

    async def load(self, slot: Slot, kind: Kind, lines: Sequence[Line], plan: Plan) -> list[Loaded]:
        """What series hold of a window."""
        if kind is Kind.GAUGE:
            found = await self.gauges(slot, [line.id for line in lines])
            return [Loaded(line.labels, line.first_at, {}, {}, gauge) for line, gauge in zip(lines, found, strict=True)]
        first = plan.first if plan.cut is None or kind is Kind.DISTINCT else plan.cut
        held = await self.buckets(slot, kind, lines, plan.width, range(first, plan.last + 1))
        loaded = []
        for line in lines:
            of = Loaded(line.labels, line.first_at, empty(kind), {})
            for number, bucket in held[line.id].items():
                merge(of.cut if number == plan.cut else of.inside, bucket)
            loaded.append(of)
        return loaded

    async def gauges(self, slot: Slot, series_ids: Sequence[str]) -> list[Gauge | None]:
        """The newest observations of series."""
        if not series_ids:
            return []
        [held] = await self.ask([("HMGET", slot.gauges, *series_ids)])
        return [_gauge(text) for text in held]

    async def buckets(
        self, slot: Slot, kind: Kind, lines: Sequence[Line], width: Width, numbers: range
    ) -> dict[str, dict[int, Bucket]]:
        """Buckets that hold something, by series and number."""
        found: dict[str, dict[int, Bucket]] = {line.id: {} for line in lines}
        share = buckets_in(kind, width)
        wanted = [
            (line.id, page)
            for line in lines
            # before its first update and after its last a series has nothing
            for page in range(
                max(numbers.start, width.number(line.first_at)) // share,
                min(numbers.stop - 1, width.number(line.last_at)) // share + 1,
            )
        ]
        at_once = PAGES_AT_ONCE.get(kind, SMALL_PAGES_AT_ONCE)
        for start in range(0, len(wanted), at_once):
            some = wanted[start : start + at_once]
            keys = [slot.page(series_id, width, page) for series_id, page in some]
            if kind is Kind.DISTINCT:
                for (series_id, page), values in zip(some, await self._distinct(keys), strict=True):
                    if values.hashes or values.registers:
                        found[series_id][page] = values
                continue
            for (series_id, page), fields in zip(some, await self.ask([("HGETALL", k) for k in keys]), strict=True):
                for number, bucket in _unpacked(fields, page * share).items():
                    if number in numbers:
                        found[series_id][number] = bucket
        return {series_id: dict(sorted(held.items())) for series_id, held in found.items()}

    async def _distinct(self, keys: Sequence[str]) -> list[Distinct]:
        commands: list[Command] = [("SMEMBERS", key) for key in keys]
        commands += [("GET", registers_of(key)) for key in keys]
        held = await self.ask(commands)
        sets, registers = held[: len(keys)], held[len(keys) :]
        return [
            Distinct(set(hashes), bytearray(rough) if rough else None)
            for hashes, rough in zip(sets, registers, strict=True)
        ]


def _unpacked(fields: Mapping[bytes, bytes], first: int) -> dict[int, dict[str, int]]:
    """The buckets of a page."""
    found: dict[int, dict[str, int]] = {}
    for field, amount in fields.items():
        place, mark, name = field.decode().partition("|")
        if mark and name != "x":
            found.setdefault(first + int(place), {})[name] = int(amount)
    return found


def _gauge(text: bytes | None) -> Gauge | None:
    if text is None:
        return None
    at, writer, value = text.decode().split(" ")
    return Gauge(int(at), writer, float(value))
