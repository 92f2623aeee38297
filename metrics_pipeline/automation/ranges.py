"""Run requests for ranges of partitions, clamped to the keys that exist."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import dagster as dg

from metrics_pipeline.windows import Window

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
PARTITION_TAG = "dagster/partition"


def keys_in_window(partitions: dg.TimeWindowPartitionsDefinition, window: Window, now: datetime) -> list[str]:
    """The keys of every partition that exists at `now` and overlaps the window, in order."""
    keys = partitions.get_partition_keys(current_time=now)
    first = partitions.get_partition_key_for_timestamp(window.start.timestamp())
    last = partitions.get_partition_key_for_timestamp((window.end - timedelta(microseconds=1)).timestamp())
    # keys are zero-padded times, so their text order is their time order
    return list(keys[bisect_left(keys, first) : bisect_right(keys, last)])


def range_tags(keys: Sequence[str]) -> dict[str, str]:
    """Tags that make one run of consecutive partitions; a single key is an ordinary partition run."""
    if len(keys) == 1:
        return {PARTITION_TAG: keys[0]}
    return {RANGE_START_TAG: keys[0], RANGE_END_TAG: keys[-1]}


def keys_of_tags(tags: Mapping[str, str]) -> tuple[str, str] | None:
    """First and last partition key of a run, from its tags."""
    if RANGE_START_TAG in tags:
        return tags[RANGE_START_TAG], tags[RANGE_END_TAG]
    return (tags[PARTITION_TAG], tags[PARTITION_TAG]) if PARTITION_TAG in tags else None


def request_window(
    job_name: str,
    partitions: dg.TimeWindowPartitionsDefinition,
    window: Window,
    now: datetime,
    *,
    run_key: str,
    run_config: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.RunRequest | None:
    """One run of a job over the partitions of a window; None if no partition exists there."""
    keys = keys_in_window(partitions, window, now)
    if not keys:
        return None
    return dg.RunRequest(
        run_key=run_key,
        job_name=job_name,
        run_config=dict(run_config or {}),
        tags={**range_tags(keys), **(tags or {})},
    )


def requests_after(
    run_id: str,
    job_name: str,
    partitions: dg.TimeWindowPartitionsDefinition,
    windows: Iterable[Window],
    now: datetime,
) -> Iterator[dg.RunRequest]:
    """What a run leads to: a job over the partitions that overlap any of the windows, one run for each stretch."""
    wanted = {key for window in windows for key in keys_in_window(partitions, window, now)}
    for keys in consecutive(partitions.get_partition_keys(current_time=now), wanted):
        yield dg.RunRequest(run_key=f"{job_name}:after:{run_id}:{keys[0]}", job_name=job_name, tags=range_tags(keys))


def consecutive(keys: Sequence[str], wanted: set[str]) -> list[list[str]]:
    """The wanted keys as runs of consecutive ones, newest run first."""
    groups: list[list[str]] = []
    for index, key in enumerate(keys):
        if key not in wanted:
            continue
        if groups and index and groups[-1][-1] == keys[index - 1]:
            groups[-1].append(key)
        else:
            groups.append([key])
    return groups[::-1]
