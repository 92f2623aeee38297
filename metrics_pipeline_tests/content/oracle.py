"""Everything that is counted from events, by brute force: section "Content events" of docs/metrics.md."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from metrics_pipeline.lake.event_tables import CONTENT_COUNTS
from metrics_pipeline_tests.content.events import Event

Row = dict[str, Any]
COUNTS = tuple(name for name, _, _ in CONTENT_COUNTS)
WATCHED = ("view_start", "view_progress", "view_complete", "loop", "pause", "resume", "swipe_away")
PROGRESS = ("view_progress", "view_complete", "loop")
SOURCES = ("following", "profile", "hashtag", "search", "direct")
COLUMN_OF = {
    "impression": "impressions", "swipe_away": "swiped_away", "like": "likes", "unlike": "unlikes",
    "comment": "comments", "share": "shares", "save": "saves", "unsave": "unsaves", "duet": "duets",
    "stitch": "stitches", "sound_use": "sound_uses", "report": "reports", "hide": "hides",
    "not_interested": "not_interested", "follow": "follows", "unfollow": "unfollows", "pause": "pauses",
    "resume": "resumes", "seek": "seeks",
}  # fmt: skip
REACTIONS = ("like", "unlike", "save", "unsave", "share", "comment", "not_interested", "hide", "report")
DIMENSIONS = ("country", "city", "age_group", "gender", "device_type", "device_platform", "source")


@dataclass
class View:
    """A view_start and the events that belong to it."""

    start: Row
    events: list[Row] = field(default_factory=list)

    def values(self, column: str) -> list[Any]:
        return [e[column] for e in self.events if e[column] is not None]

    @property
    def source(self) -> str:
        name = str(self.start["source_type"] or "").strip().lower()
        return "organic" if name in ("for_you", "organic") else name if name in SOURCES else "other"

    @property
    def reach(self) -> float | None:
        """Furthest position in percent, above 100 where it looped."""
        told = [
            e["completion_percent"] if e["completion_percent"] is not None else e["progress"] * 100
            for e in self.events
            if e["completion_percent"] is not None or e["progress"] is not None
        ]
        return max(told, default=None)

    @property
    def loops(self) -> int:
        over: int = math.ceil((self.reach - 100) / 100) if self.reach is not None else 0
        counted = sum(e["event_type"] == "loop" for e in self.events)
        told: list[int] = self.values("loop_count")
        return int(max(0, over, counted, *told))

    def bucket(self) -> str | None:
        if any(e["event_type"] == "view_complete" for e in self.events):
            return "completed_full"
        if self.reach is None:
            return None
        for least, name in ((99, "completed_full"), (75, "over_75"), (50, "over_50"), (25, "over_25")):
            if self.reach >= least:
                return name
        return "under_25"

    @property
    def furthest(self) -> float | None:
        """As `reach`, with 100 where it was completed, and at most 100."""
        if any(e["event_type"] == "view_complete" for e in self.events):
            return 100.0
        return None if self.reach is None else min(100.0, self.reach)

    def watched(self, known_duration: float | None) -> float:
        totals: list[float] = self.values("total_watch_time")
        seconds = max(0.0, max(totals) if totals else sum(self.values("watch_time")))
        durations: list[float] = [d for d in self.values("duration") if d > 0]
        duration = max(durations) if durations else known_duration if (known_duration or 0) > 0 else None
        return min(seconds, (self.loops + 1) * duration) if duration else seconds


class Oracle:
    """All tables, from raw events in any order and with any repetition."""

    def __init__(self, events: Iterable[Event], content: Iterable[Event], view_max: timedelta) -> None:
        self.content: dict[tuple[str, str], Row] = {
            (str(c["workspace_id"]), str(c["content_id"])): dict(c) for c in content
        }
        once: dict[tuple[Any, Any], Row] = {}
        rows: list[Row] = [dict(e) for e in events]
        for e in sorted(rows, key=lambda e: e["received_at"]):
            once.setdefault((e["workspace_id"], e["event_id"]), e)
        self.events = [e for e in once.values() if not e["is_bot"]]
        self.views, self.orphans = self._views(view_max)

    def _views(self, view_max: timedelta) -> tuple[list[View], list[Row]]:
        groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for e in self.events:
            if e["event_type"] in WATCHED and e["content_id"] is not None:
                groups[e["workspace_id"], e["session_id"], e["content_id"]].append(e)
        views, orphans = [], []
        for events in groups.values():
            current: View | None = None
            for e in sorted(events, key=lambda e: (e["event_ts"], e["event_type"] != "view_start", e["event_id"])):
                if e["event_type"] == "view_start":
                    current = View(e, [e])
                    views.append(current)
                elif current and e["event_ts"] - current.start["event_ts"] < view_max:
                    current.events.append(e)
                elif e["event_type"] in PROGRESS:
                    orphans.append(e)
        return views, orphans

    def _seconds(self, view: View) -> float:
        known = self.content.get((view.start["workspace_id"], view.start["content_id"]), {})
        return view.watched(known.get("duration_seconds"))

    def counts(self, period: Callable[[datetime], tuple[Any, ...]]) -> dict[tuple[Any, ...], Row]:
        """Counted columns and creator by (*period, workspace, content)."""
        rows: dict[tuple[Any, ...], Row] = defaultdict(lambda: dict.fromkeys(COUNTS, 0) | {"creators": set()})
        for e in self.events:
            if e["content_id"] is None or e["event_type"] in PROGRESS:
                continue
            row = rows[(*period(e["event_ts"]), e["workspace_id"], e["content_id"])]
            row["creators"].add(e["creator_id"])
            if e["event_type"] != "view_start":
                row[COLUMN_OF[e["event_type"]]] += 1
            if e["event_type"] == "impression" and str(e["source_type"]).strip().lower() in ("for_you", "following"):
                row["feed_impressions"] += 1
        for view in self.views:
            start = view.start
            row = rows[(*period(start["event_ts"]), start["workspace_id"], start["content_id"])]
            row["views"] += 1
            row["watch_time_seconds"] += self._seconds(view)
            row["loops"] += view.loops
            row["rewatches"] += bool(start["is_rewatch"])
            row["views_" + view.source] += 1
            if view.bucket():
                row["views_with_progress"] += 1
                row[str(view.bucket())] += 1
            for name in (start["device_type"], start["device_platform"]):
                if f"views_{name}" in row:
                    row[f"views_{name}"] += 1
        for key, row in rows.items():
            named = [c for c in row.pop("creators") if c is not None]
            row["creator_id"] = max(named) if named else self.content.get(key[-2:], {}).get("creator_id")
        return dict(rows)

    def content_hourly(self) -> list[Row]:
        keys = ("date", "hour", "workspace_id", "content_id")
        return [dict(zip(keys, k, strict=True)) | r for k, r in self.counts(hour_of).items()]

    def content_daily(self) -> list[Row]:
        keys = ("date", "workspace_id", "content_id")
        viewers = self._viewers()
        return [
            dict(zip(keys, k, strict=True)) | r | {"unique_viewers": len({v for *key, v in viewers if tuple(key) == k})}
            for k, r in self.counts(day_of).items()
        ]

    def _viewers(self) -> dict[tuple[Any, ...], list[View]]:
        found: dict[tuple[Any, ...], list[View]] = defaultdict(list)
        for v in self.views:
            s = v.start
            found[(*day_of(s["event_ts"]), s["workspace_id"], s["content_id"], s["viewer_hash"])].append(v)
        return found

    def viewer_days(self) -> list[Row]:
        keys = ("date", "workspace_id", "content_id", "viewer_hash")
        return [self._views_row(dict(zip(keys, k, strict=True)), views) for k, views in self._viewers().items()]

    def content_audience_daily(self) -> list[Row]:
        keys = ("date", "workspace_id", "content_id", "dimension", "value")
        groups: dict[tuple[Any, ...], list[View]] = defaultdict(list)
        for v in self.views:
            s = v.start
            for name in DIMENSIONS:
                value = v.source if name == "source" else s[name] or "unknown"
                groups[(*day_of(s["event_ts"]), s["workspace_id"], s["content_id"], name, value)].append(v)
        return [
            self._views_row(dict(zip(keys, k, strict=True)), views)
            | {"unique_viewers": len({v.start["viewer_hash"] for v in views})}
            for k, views in groups.items()
        ]

    def view_times_daily(self) -> list[Row]:
        keys = ("date", "workspace_id", "content_id", "bucket")
        groups: dict[tuple[Any, ...], list[View]] = defaultdict(list)
        for v in self.views:
            s, seconds = v.start, self._seconds(v)
            bucket = math.ceil(math.log(seconds) / math.log(1.01 / 0.99)) if seconds > 0 else None
            groups[(*day_of(s["event_ts"]), s["workspace_id"], s["content_id"], bucket)].append(v)
        return [self._views_row(dict(zip(keys, k, strict=True)), views) for k, views in groups.items()]

    def watch_days(self) -> list[Row]:
        keys = ("date", "workspace_id", "user_id", "content_id")
        views: dict[tuple[Any, ...], list[View]] = defaultdict(list)
        reactions: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for v in self.views:
            views[self._person_of(v.start)].append(v)
        for e in self.events:
            if e["event_type"] in REACTIONS and e["content_id"] is not None:
                reactions[self._person_of(e)].append(e)
        rows = []
        for key in views.keys() | reactions.keys():
            if key[2] is None:
                continue
            watched, reacted = views[key], reactions[key]
            instants = [v.start["event_ts"] for v in watched]
            rows.append(
                self._views_row(dict(zip(keys, key, strict=True)), watched)
                | {
                    "viewer_hash": max(e["viewer_hash"] for e in (*reacted, *(v.start for v in watched))),
                    "furthest_percent": max((v.furthest for v in watched if v.furthest is not None), default=None),
                    "is_completed": any(v.bucket() == "completed_full" for v in watched),
                    "first_watched_at": min(instants, default=None),
                    "last_watched_at": max(instants, default=None),
                    **{COLUMN_OF[kind]: sum(e["event_type"] == kind for e in reacted) for kind in REACTIONS},
                }
            )
        return rows

    def _person_of(self, e: Row) -> tuple[Any, ...]:
        return (*day_of(e["event_ts"]), e["workspace_id"], e["user_id"], e["content_id"])

    def _views_row(self, key: Row, views: list[View]) -> Row:
        creators = self.counts(day_of)[key["date"], key["workspace_id"], key["content_id"]]["creator_id"]
        seconds = sum(self._seconds(v) for v in views)
        return key | {"creator_id": creators, "views": len(views), "watch_time_seconds": seconds}

    def unique_viewers(self, first: datetime, end: datetime) -> dict[tuple[str, str, str], int]:
        """Distinct viewers by (workspace, entity type, entity) of the views begun in a span of whole days."""
        found: dict[tuple[str, str, str], set[int]] = defaultdict(set)
        for row in self.viewer_days():
            if first.date() <= row["date"] < end.date():
                workspace = row["workspace_id"]
                entities = [("content", row["content_id"]), ("workspace", workspace), ("creator", row["creator_id"])]
                for kind, name in entities:
                    if name is not None:
                        found[workspace, kind, name].add(row["viewer_hash"])
        return {key: len(viewers) for key, viewers in found.items()}


def day_of(instant: datetime) -> tuple[Any, ...]:
    return (instant.astimezone(UTC).date(),)


def hour_of(instant: datetime) -> tuple[Any, ...]:
    return instant.astimezone(UTC).date(), instant.astimezone(UTC).hour
