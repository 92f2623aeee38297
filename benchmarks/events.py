"""How many events a second are accepted over HTTP: run with `make bench-events`.

The server is the real command in a process of its own, clients are another process with several connections, all on
this machine. Batches of 100, every event checked against those already seen, every answer after an fsync. One event in
twenty is a duplicate and does not count. At the end the inbox is compared with what was answered.
"""

from __future__ import annotations

import argparse
import http.client
import json
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from benchmarks.serving import serving

BATCH = 100
DUPLICATE_EVERY = 20


def event(number: int) -> dict[str, object]:
    """An event as a player sends it, with a dozen fields filled in."""
    return {
        "eventId": str(uuid4()),
        "eventType": ("view_start", "view_progress", "impression", "view_complete", "like")[number % 5],
        "contentId": f"video-{number % 997}",
        "creatorId": f"creator-{number % 97}",
        "userId": f"user-{number % 9973}",
        "sessionId": f"session-{number % 19_937}",
        "timestamp": datetime.now(UTC).isoformat(),
        "viewData": {"watchTime": 5.0, "totalWatchTime": 12.5, "progress": 0.4, "duration": 31.0},
        "source": {"type": "for_you", "entryPoint": "feed"},
        "device": {"type": "mobile", "platform": "ios", "os": "iOS 20.1", "appVersion": "4.2.0"},
        "location": {"country": "DE", "timezone": "Europe/Berlin"},
        "network": {"type": "wifi"},
    }


def bodies(count: int) -> list[bytes]:
    """Batches made before the clock runs; one event in twenty is one of the batch before."""
    made: list[bytes] = []
    earlier: list[dict[str, object]] = []
    for batch in range(count):
        events = [event(batch * BATCH + number) for number in range(BATCH)]
        events[::DUPLICATE_EVERY] = earlier[::DUPLICATE_EVERY] or events[::DUPLICATE_EVERY]
        made.append(json.dumps({"sent_at": datetime.now(UTC).isoformat(), "batch": events}).encode())
        earlier = events[1:] + events[:1]
    return made


@dataclass
class Tally:
    """What the clients were answered."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def send(port: int, key: str, waiting: Iterator[bytes], tally: Tally) -> None:
    """One connection: the next batch as soon as the last one is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    while True:
        with tally.lock:
            body = next(waiting, None)
        if body is None:
            return
        started = time.perf_counter()
        connection.request("POST", "/v1/events/track-batch", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - started
        with tally.lock:
            tally.seconds.append(took)
            if answer.status != 202:
                tally.refused += 1
                continue
            data = json.loads(text)["data"]
            tally.accepted += data["accepted"]
            tally.duplicates += data["duplicates"]


def make_key(directory: Path) -> str:
    from metrics_pipeline.control.api_keys import Rights, create_key
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.key_ring import load_key_ring
    from metrics_pipeline.control.workspaces import add_workspace
    from metrics_pipeline.settings import load_settings

    settings = load_settings(data_dir=directory)
    control = open_control(settings)
    add_workspace(control, "Bench", now=datetime.now(UTC))
    text = create_key(control, load_key_ring(settings), Rights("bench", ["ingest"]), now=datetime.now(UTC))[1]
    return text.reveal()


def stored(directory: Path) -> int:
    """Events that wait for the lake."""
    from metrics_pipeline.events.inbox import open_inbox
    from metrics_pipeline.settings import load_settings

    inbox = open_inbox(load_settings(data_dir=directory))
    try:
        return inbox.backlog().rows
    finally:
        inbox.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--directory", default=".", help="a disk whose fsync counts; not a memory file system")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory, prefix="bench-events-") as name:
        directory = Path(name).absolute()
        key = make_key(directory)
        waiting = iter(bodies(given.batches))
        tally = Tally()
        with serving(directory, API_SERVER_KEY_EVENTS_PER_MINUTE="100000000") as served:
            port = served.port
            clients = [
                threading.Thread(target=send, args=(port, key, waiting, tally)) for _ in range(given.connections)
            ]
            started = time.perf_counter()
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            seconds = time.perf_counter() - started
        found = stored(directory)
    tally.seconds.sort()
    print(f"accepted                {tally.accepted:9,} events in {seconds:.1f} s")
    print(f"accepted per second     {tally.accepted / seconds:9,.0f}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"server's processor time {(used.ru_utime + used.ru_stime) / len(tally.seconds) / BATCH * 1e6:9.1f} us an event"
    )
    print(f"duplicates              {tally.duplicates:9,}")
    print(f"refused batches         {tally.refused:9,}")
    print(f"batch of {BATCH}, median    {statistics.median(tally.seconds) * 1000:9.1f} ms")
    print(f"batch of {BATCH}, 99 %      {tally.seconds[int(len(tally.seconds) * 0.99)] * 1000:9.1f} ms")
    if found != tally.accepted:
        raise SystemExit(f"the inbox holds {found} events, {tally.accepted} were accepted")


if __name__ == "__main__":
    main()
