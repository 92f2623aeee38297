"""Content events written as a test reads them, random histories of them, and the way they get into a lake."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
from hypothesis import strategies as st

from metrics_pipeline.lake.event_tables import CONTENT, EVENTS
from metrics_pipeline.lake.lake import Lake

Event = dict[str, object]

FIRST = datetime(2026, 3, 1, 22, tzinfo=UTC)
MINUTES = 3 * 24 * 60
TYPES = (
    *("view_start",) * 5, *("view_progress",) * 7, *("view_complete",) * 2, "loop", "loop", "impression", "impression",
    "swipe_away", "pause", "resume", "seek", "like", "unlike", "comment", "share", "save", "unsave", "report",
    "not_interested", "hide", "follow", "unfollow", "duet", "stitch", "sound_use",
)  # fmt: skip
SOURCES = (None, "for_you", "following", "profile", "hashtag", "search", "direct", "e-mail", " For_You ")


def event(event_type: str, at: datetime, event_id: str, **values: object) -> Event:
    """An event of content c1 in session s1 of workspace acme, received a second after it happened."""
    session = values.get("session_id", "s1")
    row: Event = dict.fromkeys(EVENTS.schema.names)
    row |= {
        "workspace_id": "acme",
        "date": at.astimezone(UTC).date(),
        "event_id": event_id,
        "event_type": event_type,
        "content_id": "c1",
        "session_id": session,
        "viewer_hash": sum(map(ord, str(session))),
        "event_ts": at,
        "received_at": at + timedelta(seconds=1),
        "ts_source": "client",
        "is_rewatch": False,
        "is_bot": False,
        "origin": "api",
    }
    return row | values


@st.composite
def histories_of_events(draw: st.DrawFn, most: int = 60) -> list[Event]:
    """Events of few sessions and contents that get into each other's way, over three days."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    tight = draw(st.booleans())  # everything around one midnight, or over three days
    count = draw(st.integers(1, most))
    rows = []
    for n in range(count):
        minute = rng.randrange(60, 180, 5) if tight else rng.randrange(0, MINUTES, 10)
        kind = rng.choice(TYPES)
        without_content = kind in ("follow", "unfollow") and rng.random() < 0.5
        rows.append(
            event(
                kind,
                FIRST + timedelta(minutes=minute),
                f"e{rng.randrange(10**9)}-{n}",
                workspace_id=rng.choice(("acme", "acme", "other")),
                session_id=rng.choice(("s1", "s2", "s3")),
                viewer_hash=rng.choice((-5, 7, 7, 11)),
                user_id=rng.choice((None, "ada", "ada", "ben")),
                content_id=None if without_content else rng.choice(("c1", "c1", "c2")),
                creator_id=rng.choice(("ann", "ann", None, "bob")),
                watch_time=rng.choice((None, None, 0.0, 1.5, 20.25, -3.0)),
                total_watch_time=rng.choice((None, None, None, 0.0, 12.125, 70.1, -1.0)),
                progress=rng.choice((None, None, 0.0, 0.1, 0.25, 0.5, 0.7499, 0.75, 0.99, 1.0)),
                completion_percent=rng.choice((None, None, None, 30.0, 98.9, 99.0, 100.0, 100.5, 250.0)),
                duration=rng.choice((None, None, 0.0, 15.0, 30.5)),
                loop_count=rng.choice((None, None, None, 0, 1, 3)),
                is_rewatch=rng.choice((None, False, True)),
                source_type=rng.choice(SOURCES),
                device_type=rng.choice((None, "mobile", "tablet", "desktop", "tv", "fridge")),
                device_platform=rng.choice((None, "ios", "android", "web", "")),
                country=rng.choice((None, "DE", "FR")),
                city=rng.choice((None, "Kiel")),
                age_group=rng.choice((None, "18-24")),
                gender=rng.choice((None, "female", "male")),
                is_bot=rng.random() < 0.1,
            )
        )
    return rows


@st.composite
def attributes(draw: st.DrawFn) -> list[Event]:
    """Rows of `content` for some of the items."""
    rows = []
    for workspace, content in (("acme", "c1"), ("acme", "c2"), ("other", "c1")):
        if draw(st.booleans()):
            rows.append(
                dict.fromkeys(CONTENT.schema.names)
                | {
                    "workspace_id": workspace,
                    "content_id": content,
                    "creator_id": draw(st.sampled_from((None, "cleo"))),
                    "duration_seconds": draw(st.sampled_from((None, 0.0, 25.0))),
                }
            )
    return rows


def empty(lake: Lake) -> None:
    """Delete every row that these tests write."""
    for name in ("events", "content", "content_hourly", "content_daily", "content_audience_daily", "viewer_days",
                 "view_times_daily", "watch_days", "daily_metrics", "weekly_metrics", "monthly_metrics"):  # fmt: skip
        if lake.table(name).file_uris():
            lake.delete(name, "true")


def store(lake: Lake, events: Iterable[Event], content: Iterable[Event] = ()) -> None:
    rows = list(events)
    if rows:
        lake.append("events", pa.Table.from_pylist(rows, schema=EVENTS.schema))
    known = list(content)
    if known:
        lake.append("content", pa.Table.from_pylist(known, schema=CONTENT.schema))


def at(text: str) -> datetime:
    """A UTC instant: "2026-03-02 23:50"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)
