"""What the jobs log says of a Dagster run: read from the instance, the same whoever ran it and however it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import dagster as dg

from metrics_pipeline.assets.collection import OUTCOME_TAG
from metrics_pipeline.automation.ranges import keys_of_tags
from metrics_pipeline.control.job_runs import MATERIALIZE, JobRunRecord, JobState
from metrics_pipeline.platforms.errors import redact

REQUESTED_BY_TAG = "metrics/requested_by"
_KEPT = ("platform", "dagster/backfill", "dagster/parent_run_id", "dagster/retry_number", "dagster/will_retry")
ERROR_LENGTH = 500

_STATES: dict[dg.DagsterRunStatus, JobState] = {
    dg.DagsterRunStatus.STARTING: "RUNNING",
    dg.DagsterRunStatus.STARTED: "RUNNING",
    dg.DagsterRunStatus.CANCELING: "RUNNING",
    dg.DagsterRunStatus.SUCCESS: "COMPLETED",
    dg.DagsterRunStatus.FAILURE: "FAILED",
    dg.DagsterRunStatus.CANCELED: "CANCELED",
}
_ACCOUNTS = ("accounts_ok", "accounts_failed", "accounts_skipped")
_EVENTS = {
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}


def facts_of(instance: dg.DagsterInstance, record: dg.RunRecord) -> JobRunRecord | None:
    """The row of a run; None while it only waits for its turn."""
    run = record.dagster_run
    state = _STATES.get(run.status)
    if state is None:
        return None
    if state == "COMPLETED" and run.tags.get(OUTCOME_TAG) == "PARTIAL":
        state = "PARTIAL"
    ended = _instant(record.end_time) if state != "RUNNING" else None
    if state != "RUNNING" and ended is None:  # it was ended from outside
        ended = record.update_timestamp.replace(tzinfo=UTC)
    started = _instant(record.start_time)
    events = (
        [] if state == "RUNNING" else [e for log in instance.all_logs(run.run_id, _EVENTS) if (e := log.dagster_event)]
    )
    rows, accounts = _figures(events)
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    keys = keys_of_tags(run.tags) or (None, None)
    return JobRunRecord(
        run_id=run.run_id,
        job=job_name(run.job_name),
        stream=stream_of(run.job_name, assets, run.tags),
        state=state,
        requested_by=requested_by(run.tags),
        requested_at=record.create_timestamp.replace(tzinfo=UTC),
        assets=assets,
        first_partition=keys[0],
        last_partition=keys[1],
        started_at=started,
        ended_at=ended,
        seconds=round((ended - started).total_seconds(), 3) if started and ended else None,
        rows=rows,
        error=first_error(events) if state == "FAILED" else None,
        counts=run.tags.get("dagster/will_retry") != "true",
        tags={name: text for name, text in run.tags.items() if name in _KEPT or name.startswith("metrics/")},
        **{name: accounts.get(name) for name in _ACCOUNTS},
    )


def job_name(name: str) -> str:
    """A job's name for people."""
    return MATERIALIZE if name.startswith("__") else name


def requested_by(tags: Mapping[str, str]) -> str:
    """Who asked for a run: a schedule, a sensor, the command line, the API; who left no tag used the UI."""
    if REQUESTED_BY_TAG in tags:
        return tags[REQUESTED_BY_TAG]
    for kind in ("schedule", "sensor"):
        if f"dagster/{kind}_name" in tags:
            return f"{kind} {tags[f'dagster/{kind}_name']}"
    return "UI"


def stream_of(name: str, assets: Iterable[str], tags: Mapping[str, str]) -> str:
    """What a run belongs to: the job, or its assets, and who asks.

    A job has one partition set; the hourly refresh and the nightly close share a job and cover different partitions,
    so that success of the one says nothing of the other.
    """
    what = job_name(name)
    return f"{what}{': ' + ', '.join(assets) if what == MATERIALIZE else ''} by {requested_by(tags)}"


def first_error(events: Iterable[dg.DagsterEvent]) -> str | None:
    """The first error of a run as one line without secrets."""
    message = None
    for event in events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                return one_line(error.message.strip().split(": ", 1)[-1])
        if event.is_run_failure:
            message = event.message
    return one_line(message) if message else None


def one_line(text: str) -> str:
    return " ".join(redact(text).split())[:ERROR_LENGTH]


def _instant(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def _figures(events: Iterable[dg.DagsterEvent]) -> tuple[int | None, dict[str, int]]:
    """Rows and accounts, summed over assets: a range repeats an asset's figures on each of its partitions."""
    found: dict[str, Mapping[str, dg.MetadataValue]] = {}
    for event in events:
        if event.is_step_materialization and event.asset_key is not None:
            found[event.asset_key.to_user_string()] = event.step_materialization_data.materialization.metadata
        elif event.is_step_failure and event.step_failure_data.user_failure_data is not None:
            found[f"failed {event.step_key}"] = event.step_failure_data.user_failure_data.metadata
    sums: dict[str, int] = {}
    for metadata in found.values():
        for name in ("rows", *_ACCOUNTS):
            value = getattr(metadata.get(name), "value", None)
            if isinstance(value, int):
                sums[name] = sums.get(name, 0) + value
    return sums.pop("rows", None), sums
