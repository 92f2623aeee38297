"""What the aggregating process of the kill proof does until it is killed, and the events that it counts."""

from __future__ import annotations

import os
import random
import time
import zlib
from datetime import timedelta
from multiprocessing.synchronize import Event as Signal
from pathlib import Path

from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window, midnight
from metrics_pipeline_tests.events.samples import NOW, Sent

KINDS = ("view_start", "view_progress", "view_progress", "view_complete", "like", "impression", "unlike")


def kind_of(name: str) -> str:
    """The type of the event of that name."""
    return KINDS[zlib.crc32(name.encode()) % len(KINDS)]


def watching(name: str) -> Sent:
    """An event of few sessions and contents, in the running hour or around midnight: late for many a built hour."""
    drawn = random.Random(name)
    start = drawn.choice((NOW, midnight(NOW.date()) + timedelta(minutes=30)))
    session = drawn.randrange(40)
    return {
        "eventId": name,
        "eventType": kind_of(name),
        "contentId": f"c{drawn.randrange(6)}",
        "creatorId": f"k{drawn.randrange(2)}",
        "sessionId": f"s{session}",
        "userId": f"u{session % 9}" if session % 3 else None,
        "timestamp": (start - timedelta(seconds=drawn.randrange(3600))).isoformat(),
        "viewData": {"totalWatchTime": drawn.randrange(400) / 8, "progress": drawn.randrange(101) / 100},
        "location": {"country": drawn.choice(("DE", "FR", "US"))},
    }


def flow_of(directory: str) -> ContentFlow:
    return ContentFlow(Pipeline(Settings(data_dir=Path(directory), now=NOW)))


def rebuild(flow: ContentFlow) -> bool:
    """Rebuild the days that lack events, as the hourly run does; False if none does."""
    days = flow.dirty_days()
    if days:
        flow.rebuild_days(Window.of_days(days[0], days[-1] + DAY))
    return bool(days)


def aggregate_on(directory: str, ready: Signal, refreshed: Signal) -> None:
    """Refresh again and again, and rebuild the days every now and then; tells when both have been done once."""
    flow, chance = flow_of(directory), random.Random(os.getpid())
    is_first = True
    ready.set()
    while True:
        if not flow.waiting():
            time.sleep(0.01)
            continue
        flow.refresh()
        if (is_first or chance.random() < 0.5) and rebuild(flow):
            refreshed.set()
            is_first = False
