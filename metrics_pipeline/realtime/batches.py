"""Updates of one metric on their way to Redis: numbered, so that each is applied once, and put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from metrics_pipeline.realtime import distinct, log_buckets
from metrics_pipeline.realtime.backend import Added, Refused
from metrics_pipeline.realtime.distinct import hash_of
from metrics_pipeline.realtime.gauges import Gauge, newer
from metrics_pipeline.realtime.kinds import Fields, Kind, amounts
from metrics_pipeline.realtime.redis_keys import Slot, buckets_in, page_end, registers_of
from metrics_pipeline.realtime.series import Labels
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.realtime.widths import WIDTHS, Width

# Applied in about 10 ms: Redis does nothing else meanwhile, and it is far below what an answer is waited for.
MOST_UPDATES = 2000


@dataclass
class Batch:
    """Updates of one metric that one process sends in one step; times in microseconds."""

    workspace_id: str
    metric: str
    # numbers of one process grow; `before` is that of the metric's batch before this one, None where Redis may have
    # forgotten it, 0 for none
    number: int
    before: int | None
    made_at: int
    updates: list[Update]
    # what became of it, once Redis has said so
    result: Added | None = None


@dataclass
class _Sums:
    """What a batch adds, put together."""

    times: dict[str, tuple[int, int]] = field(default_factory=dict)
    gauges: dict[str, Gauge] = field(default_factory=dict)
    fields: dict[tuple[str, Width, int], Fields] = field(default_factory=dict)
    hashes: dict[tuple[str, Width, int], set[bytes]] = field(default_factory=dict)


def command(
    batch: Batch,
    updates: Sequence[Update],
    slot: Slot,
    kind: Kind,
    placed: Mapping[Labels, str],
    process: str,
    now: int,
    end_of_life: int,
) -> tuple[list[str], list[str | bytes | int]]:
    """Keys and arguments of redis_scripts.ADD for those updates of a batch that are of the metric's kind.

    placed: the id of the series that each set of labels counts in.
    """
    sums = _sums(updates, kind, placed, now)
    keys = list(slot.registry)
    before = -1 if batch.before is None else batch.before
    arguments: list[str | bytes | int] = [process, batch.number, before, batch.made_at, now, end_of_life]
    arguments += [log_buckets.MOST_FIELDS, distinct.MOST_EXACT]
    arguments.append(len(sums.times))
    for series_id, (first, last) in sums.times.items():
        arguments += [series_id, first, last]
    arguments.append(len(sums.gauges))
    for series_id, gauge in sums.gauges.items():
        arguments += [series_id, gauge.observed_at, gauge.writer, repr(gauge.value)]
    arguments.append(len(sums.fields) + len(sums.hashes))
    for (series_id, width, page), fields in sums.fields.items():
        keys.append(slot.page(series_id, width, page))
        arguments += [page_end(kind, width, page), kind, len(fields)]
        for name, amount in fields.items():
            arguments += [name, amount]
    for (series_id, width, page), hashes in sums.hashes.items():
        key = slot.page(series_id, width, page)
        keys += [key, registers_of(key)]
        arguments += [page_end(kind, width, page), kind, len(hashes), *hashes]
    return keys, arguments


def _sums(updates: Iterable[Update], kind: Kind, placed: Mapping[Labels, str], now: int) -> _Sums:
    sums = _Sums()
    for each in updates:
        series_id, at = placed[each.series.labels], each.received_at
        first, last = sums.times.get(series_id, (at, at))
        sums.times[series_id] = min(first, at), max(last, at)
        if each.gauge is not None:
            sums.gauges[series_id] = newer(sums.gauges.get(series_id), each.gauge)
            continue
        if isinstance(each.value, str):
            hashed = hash_of(each.series.workspace_id, each.value)
            for width in WIDTHS:
                number = width.number(at)
                if width.is_kept(number, now):
                    sums.hashes.setdefault((series_id, width, number), set()).add(hashed)
            continue
        added = amounts(kind, each.value)
        if not added:
            continue
        for width in WIDTHS:
            number = width.number(at)
            if width.is_kept(number, now):
                page, place = divmod(number, buckets_in(kind, width))
                _add(sums.fields.setdefault((series_id, width, page), {}), place, added)
    return sums


def _add(fields: Fields, place: int, added: Fields) -> None:
    for name, amount in added.items():
        field_name = f"{place}|{name}"
        fields[field_name] = fields.get(field_name, 0) + amount


def by_metric(updates: Sequence[Update]) -> dict[tuple[str, str], list[Update]]:
    """Updates by workspace and metric, in their order."""
    found: dict[tuple[str, str], list[Update]] = {}
    for each in updates:
        found.setdefault((each.series.workspace_id, each.series.metric), []).append(each)
    return found


def outcome(taken: Sequence[tuple[int, Update]], refused: Sequence[Refused], batches: Sequence[Batch]) -> Added:
    """What became of updates, of which the taken ones (with their places) went into these batches."""
    places: dict[tuple[str, str], list[int]] = {}
    for index, each in taken:
        places.setdefault((each.series.workspace_id, each.series.metric), []).append(index)
    every = list(refused)
    overflowed = spilled = 0
    for batch in batches:
        mine = places[batch.workspace_id, batch.metric]
        if batch.result is None:
            spilled += len(batch.updates)
        else:
            overflowed += batch.result.overflowed
            every += [Refused(mine[each.index], each.code) for each in batch.result.refused]
        del mine[: len(batch.updates)]
    every.sort(key=lambda each: each.index)
    return Added(len(taken) + len(refused) - len(every), overflowed, spilled, refused=tuple(every))
