"""How many events a second one process takes in and drains: run with `make bench-ingestion`.

Events of about 900 bytes with nearly every field, handed in by 32 callers in batches of 100 and one by one; the
inbox is SQLite on this machine's disk. Validation is included, HTTP is not.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from metrics_pipeline.events.drain import drain
from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings

BATCHED, SINGLE, CALLERS = 100_000, 10_000, 32
NOW = datetime.now(UTC)


def event(number: int) -> dict[str, object]:
    return {
        "eventType": "view_progress",
        "eventId": str(uuid.uuid4()),
        "contentId": f"content-{number % 5000}",
        "creatorId": f"creator-{number % 100}",
        "userId": f"user-{number % 9999}",
        "sessionId": f"session-{number}",
        "timestamp": (NOW - timedelta(seconds=number % 3600)).isoformat(),
        "viewData": {"watchTime": 1.5, "totalWatchTime": 12.5, "progress": 0.5, "duration": 30.0, "loopCount": 0},
        "source": {"type": "for_you", "referrer": "app", "entryPoint": "feed"},
        "device": {"type": "mobile", "platform": "ios", "model": "Phone 15", "os": "17.5", "appVersion": "3.2.1"},
        "location": {"country": "DE", "region": "Berlin", "timezone": "Europe/Berlin"},
        "network": {"type": "wifi", "quality": "good"},
    }


async def hand_in(ingestion: Ingestion, events: list[dict[str, object]], size: int) -> list[float]:
    """Hand all events in; seconds each hand-over took."""
    starts = iter(range(0, len(events), size))
    times: list[float] = []

    async def caller(mine: Iterator[int]) -> None:
        for start in mine:
            begun = time.perf_counter()
            batch = events[start : start + size]
            results = await ingestion.submit("acme", batch, sent_at=NOW, received_at=NOW, user_agent=None)
            if any(result.status != "accepted" for result in results):
                raise SystemExit(f"not accepted: {results[0]}")
            times.append(time.perf_counter() - begun)

    await asyncio.gather(*(caller(starts) for _ in range(CALLERS)))
    return sorted(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(data_dir=Path(directory))
        for count, size in ((BATCHED, 100), (SINGLE, 1)):
            events = [event(number) for number in range(count)]
            with Ingestion.open(settings) as ingestion:
                begun = time.perf_counter()
                times = asyncio.run(hand_in(ingestion, events, size))
                seconds = time.perf_counter() - begun
            middle, slow = times[len(times) // 2], times[int(len(times) * 0.99)]
            print(f"hand-overs of {size:>3}: {count / seconds:8,.0f} events/s, ", end="")
            print(f"answered after {1000 * middle:.0f} ms (median), {1000 * slow:.0f} ms (99 %)")
        inbox, lake = open_inbox(settings), Lake.open(settings)
        begun = time.perf_counter()
        figures = drain(inbox, lake, chunk=settings.event_drain_rows)
        print(f"drained into the lake: {figures.rows / (time.perf_counter() - begun):8,.0f} events/s")


if __name__ == "__main__":
    main()
