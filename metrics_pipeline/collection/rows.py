"""Turns what an adapter returned into Arrow tables with the lake's columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from metrics_pipeline.collection.scope import TurnScope
from metrics_pipeline.collection.summary import GOOD, AccountReport
from metrics_pipeline.lake.account_tables import ACCOUNT_HISTORY
from metrics_pipeline.lake.tables import API_RESPONSES, COLLECTION_STATUS, COUNTER_READINGS, INSIGHT_READINGS, POSTS
from metrics_pipeline.platforms.contract import Outcome, Post, Profile, RawResponse, Reading
from metrics_pipeline.windows import Window

Row = dict[str, object]


@dataclass(frozen=True)
class Provenance:
    """What all rows of one account and one slot of a run share."""

    workspace_id: str
    platform: str
    account_id: str
    collection: str
    run_id: str
    read_at: datetime
    window: Window
    scope: TurnScope


def _json(value: Mapping[str, object]) -> str | None:
    return json.dumps(value, sort_keys=True, default=str) if value else None


def _reading(p: Provenance, r: Reading) -> Row:
    return {
        "workspace_id": p.workspace_id,
        "platform": p.platform,
        "account_id": p.account_id,
        "date": r.date,
        "post_id": r.post_id,
        "metric": r.metric,
        "source_metric": r.source_metric,
        "value": r.value,
        "numerator": r.numerator,
        "denominator": r.denominator,
        "source": "fetched",
        "api": r.api,
        "post_type": r.post_type,
        "day_timezone": r.day_timezone,
        "definition_version": r.definition_version,
        "metadata": _json(r.metadata),
        "import_id": None,
        "run_id": p.run_id,
    }


def insight_row(p: Provenance, r: Reading) -> Row:
    return {**_reading(p, r), "window": r.window, "read_at": p.read_at, "confirmed_at": p.read_at}


def counter_row(p: Provenance, r: Reading) -> Row:
    # the partition is the hour that was asked for, also when it was read in the minutes after its end
    return {
        **_reading(p, r),
        "date": p.window.start.date(),
        "hour": p.window.start.hour,
        "kind": r.kind,
        "observed_at": p.read_at,
    }


def post_row(p: Provenance, post: Post) -> Row:
    return {
        "workspace_id": p.workspace_id,
        "platform": p.platform,
        "account_id": p.account_id,
        "post_id": post.post_id,
        "post_type": post.post_type,
        "published_at": post.published_at,
        "title": post.title[:280] if post.title else None,
        "permalink": post.permalink,
        "duration_seconds": post.duration_seconds,
        "first_seen_at": p.read_at,
        "last_seen_at": p.read_at,
        "deleted_at": p.read_at if post.deleted else None,
        "metadata": _json(post.metadata),
    }


def profile_row(p: Provenance, profile: Profile) -> Row:
    return {
        "workspace_id": p.workspace_id,
        "platform": p.platform,
        "account_id": p.account_id,
        "name": profile.name,
        "account_type": profile.account_type,
        "profile_read_at": p.read_at,
        "profile_confirmed_at": p.read_at,
    }


def status_row(p: Provenance, o: Outcome) -> Row:
    return {
        "workspace_id": p.workspace_id,
        "platform": p.platform,
        "account_id": p.account_id,
        "date": o.date,
        "collection": p.collection,
        "level": o.level,
        "metric": o.metric,
        "window": o.window,
        "state": o.state.value,
        "reason": o.reason,
        "error_class": o.error_class,
        "objects": o.objects,
        "objects_ok": o.objects_ok,
        "last_read_at": p.read_at,
        "last_value_at": p.read_at if o.state in GOOD else None,
        "run_id": p.run_id,
    }


def response_row(p: Provenance, r: RawResponse, sequence: int) -> Row:
    return {
        "workspace_id": p.workspace_id,
        "platform": p.platform,
        "account_id": p.account_id,
        "date": r.received_at.date(),
        "collection": p.collection,
        "window_start": p.window.start,
        "window_end": p.window.end,
        "method": r.method,
        "endpoint": r.endpoint,
        "params": json.dumps(dict(r.params), sort_keys=True),
        "status": r.status,
        "api_version": r.api_version,
        "asked_at": p.read_at,
        "post_hours": p.scope.post_hours,
        "only_posts": json.dumps(p.scope.only_posts) if p.scope.only_posts else None,
        "sequence": sequence,
        "received_at": r.received_at,
        "body": r.body,
        "run_id": p.run_id,
    }


@dataclass(frozen=True)
class Batch:
    """All rows of a run, one Arrow table per lake table."""

    responses: pa.Table
    posts: pa.Table
    readings: pa.Table
    statuses: pa.Table
    profiles: pa.Table


def batch(collection: str, turns: Iterable[tuple[Provenance, AccountReport]]) -> Batch:
    """The rows of every account's turn."""
    turns = list(turns)
    is_counters = collection == "counters"
    row, spec = (counter_row, COUNTER_READINGS) if is_counters else (insight_row, INSIGHT_READINGS)
    return Batch(
        responses=pa.Table.from_pylist(
            [response_row(p, r, n) for p, a in turns for n, r in enumerate(a.result.responses)],
            schema=API_RESPONSES.schema,
        ),
        posts=pa.Table.from_pylist([post_row(p, x) for p, a in turns for x in a.result.posts], schema=POSTS.schema),
        readings=pa.Table.from_pylist([row(p, r) for p, a in turns for r in a.result.readings], schema=spec.schema),
        statuses=pa.Table.from_pylist(
            # a look at single posts says nothing about the account's day
            [status_row(p, o) for p, a in turns if not p.scope.only_posts for o in a.result.outcomes],
            schema=COLLECTION_STATUS.schema,
        ),
        profiles=pa.Table.from_pylist(
            [profile_row(p, a.result.profile) for p, a in turns if a.result.profile != Profile()],
            schema=ACCOUNT_HISTORY.schema,
        ),
    )
