"""The buffer of events against the real server: every event once, whatever breaks between the two."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.client import BufferFull, EventBuffer, MetricsClient, Rejected
from metrics_pipeline.client import buffer as buffer_module
from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.stored import accepted
from metrics_pipeline_tests.client.scripted import CuttingProxy, Reply, scripted

PROVING = bool(os.environ.get("PROVE"))
EVENTS = 40_000 if PROVING else 2_000
KILLS = 20 if PROVING else 2
AWAY = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses, so that many tries fit into a test."""
    monkeypatch.setattr(buffer_module, "FIRST_PAUSE", 0.005)
    monkeypatch.setattr(buffer_module, "LONGEST_PAUSE", 0.02)


@pytest.fixture
def proxy(server: ApiServer) -> Iterator[Callable[[int], CuttingProxy]]:
    """Makes a proxy in front of the server that cuts every connection sooner or later."""
    opened: list[CuttingProxy] = []

    def make(seed: int) -> CuttingProxy:
        opened.append(CuttingProxy(server.url, seed))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def ids_of(settings: Settings) -> list[str]:
    """Of every event that the server has stored, however many."""
    inbox = open_inbox(settings)
    try:
        rows = inbox.peek(10_000_000)
    finally:
        inbox.close()
    return sorted(json.loads(row.payload)["event_id"] for row in rows if row.kind == "accepted")


@pytest.mark.parametrize("is_kept", [False, True], ids=["memory", "file"])
@pytest.mark.usefixtures("impatient")
def test_every_event_arrives_once_over_a_connection_that_keeps_breaking(
    is_kept: bool, proxy: Callable[[int], CuttingProxy], settings: Settings, key: Callable[..., str], tmp_path: Path
) -> None:
    broken = proxy(17)
    path = tmp_path / "waiting.db" if is_kept else None
    ids: list[str] = []
    client = MetricsClient(broken.url, key("acme", "ingest"))
    with EventBuffer(client, path=path, max_events=EVENTS, flush_every=0.01) as buffer:

        def track(number: int) -> None:
            for n in range(EVENTS // 4):
                ids.append(buffer.track("view_start", f"c{number}", f"s{n}"))
                if n % 10 == 0:
                    time.sleep(0.004)

        threads = [threading.Thread(target=track, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert buffer.flush(120)
        assert buffer.state.sent == EVENTS
    client.close()
    assert ids_of(settings) == sorted(ids)
    assert broken.cuts > 10


_APPLICATION = """
import sys
from metrics_pipeline.client import EventBuffer, buffer as settings
settings.FIRST_PAUSE = settings.LONGEST_PAUSE = 0.01
buffer = EventBuffer.to(sys.argv[1], sys.argv[2], path=sys.argv[3], max_events=1_000_000, flush_every=0.005)
print("ready", flush=True)
for n in range(100_000):
    print(buffer.track("view_start", f"c{n}", "s"), flush=True)
"""


@pytest.mark.usefixtures("impatient")
def test_a_killed_process_loses_nothing(
    proxy: Callable[[int], CuttingProxy], settings: Settings, key: Callable[..., str], tmp_path: Path
) -> None:
    broken, path, text = proxy(4), tmp_path / "waiting.db", key("acme", "ingest")
    chance, told = random.Random(9), set[str]()
    for _ in range(KILLS):
        command = [sys.executable, "-c", _APPLICATION, broken.url, text, str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        killer = threading.Timer(chance.uniform(0.02, 0.2), process.send_signal, (signal.SIGKILL,))
        killer.start()
        told |= {line.strip() for line in process.stdout if line.endswith("\n")}
        assert process.wait() == -signal.SIGKILL
    with EventBuffer.to(broken.url, text, path=path, max_events=1_000_000, flush_every=None) as buffer:
        assert buffer.flush(120)
    found = ids_of(settings)
    assert len(found) == len(set(found))
    assert told <= set(found)
    assert len(set(found) - told) <= KILLS  # taken, and killed before it was told


def test_what_is_rejected_is_told_and_not_sent_again(ingester: MetricsClient, settings: Settings) -> None:
    told: list[Rejected] = []

    def tell(rejected: Rejected) -> None:
        told.append(rejected)
        raise OSError("the application's own fault")

    with EventBuffer(ingester, flush_every=None, on_rejected=tell) as buffer:
        good = buffer.track("view_start", "c1", "s1", watch_time=3.5, device_type="mobile")
        buffer.track("dance", "c1", "s1")
        follow = buffer.track("follow", None, "s1", creator_id="anna")
        assert buffer.flush()
        assert buffer.flush()
        assert (buffer.state.sent, buffer.state.rejected, buffer.state.waiting) == (2, 1, 0)
    assert [(each.event["event_type"], each.code) for each in told] == [("dance", "unknown_type")]
    assert ids_of(settings) == sorted([good, follow])


@pytest.mark.parametrize("refusal", [Reply(422, {"code": "invalid_batch", "detail": "No."}), Reply(413)])
def test_one_event_that_fails_a_whole_batch_is_found(refusal: Reply) -> None:
    """A stricter server in between: it refuses any request with a certain event in it."""
    told: list[Rejected] = []

    def taken(*statuses: str) -> Reply:
        results = [{"index": n, "event_id": "e", "status": status} for n, status in enumerate(statuses)]
        counts = {"accepted": 0, "duplicates": 0, "rejected": 0, "received_at": "2026-11-20T10:00:00Z"}
        return Reply(202, {"data": {**counts, "results": results}, "meta": {}})

    script = (refusal, taken("accepted", "duplicate"), refusal, refusal, taken("retry"), taken("accepted"))
    with scripted(*script) as server, MetricsClient(server.url, "mk_1") as client:
        buffer = EventBuffer(client, flush_every=None, on_rejected=told.append)
        for n in range(4):
            buffer.track("like", f"c{n}", "s")
        assert buffer.flush()
        assert buffer.close() == 0
    assert [each.event["content_id"] for each in told] == ["c2"]
    sent = [[event["content_id"] for event in request.json()["batch"]] for request in server.received]
    assert sent == [["c0", "c1", "c2", "c3"], ["c0", "c1"], ["c2", "c3"], ["c2"], ["c3"], ["c3"]]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("reply", [Reply(401, {"code": "invalid_key"}), Reply(400, {"code": "incomplete_body"}), None])
def test_events_outlive_what_is_no_fault_of_theirs(reply: Reply | None) -> None:
    with scripted(reply) as server, MetricsClient(server.url, "mk_1") as client:
        buffer = EventBuffer(client, flush_every=None)
        buffer.track("like", "c1", "s1")
        deadline = time.monotonic() + 10
        while len(server.received) < 3 and time.monotonic() < deadline:
            assert not buffer.flush(0.1)
        assert len(server.received) >= 3
        assert buffer.state.error is not None
        assert (buffer.state.waiting, buffer.state.rejected) == (1, 0)
        assert buffer.close(0.05) == 1


def test_a_server_that_asks_for_patience_gets_it() -> None:
    with scripted(Reply(503, {"code": "stopping"}, {"Retry-After": "1"})) as server:
        client = MetricsClient(server.url, "mk_1")
        buffer = EventBuffer(client, flush_every=0.001)
        buffer.track("like", "c1", "s1")
        time.sleep(0.2)
        assert not buffer.flush(0.3)
        assert len(server.received) == 1
        buffer.close(0.0)


def test_time_offline_moves_no_event(
    server: ApiServer, settings: Settings, key: Callable[..., str], tmp_path: Path
) -> None:
    """The device's clock is an hour fast, and the network two hours away: the event is where it happened."""
    began = datetime.now(UTC) - timedelta(hours=2)
    fast = [began + timedelta(hours=1)]
    with MetricsClient(AWAY, "mk_1", now=lambda: fast[0]) as away:
        buffer = EventBuffer(away, path=tmp_path / "w.db", flush_every=None)
        buffer.track("view_start", "c1", "s1")
        assert not buffer.flush(0.2)
        assert buffer.close(0.0) == 1
    fast[0] += timedelta(hours=2)
    with (
        MetricsClient(server.url, key("acme", "ingest"), now=lambda: fast[0]) as back,
        EventBuffer(back, path=tmp_path / "w.db", flush_every=None) as buffer,
    ):
        assert buffer.flush()
    [event] = accepted(settings)
    assert abs(datetime.fromisoformat(event["event_ts"]) - began) < timedelta(seconds=5)


@pytest.mark.parametrize("path", [None, "w.db"])
def test_a_full_buffer_drops_the_oldest_or_refuses(
    path: str | None, tmp_path: Path, ingester: MetricsClient, settings: Settings
) -> None:
    file = None if path is None else tmp_path / path
    with EventBuffer(ingester, path=file, max_events=3, flush_every=None) as buffer:
        ids = [buffer.track("like", "c1", "s1") for _ in range(5)]
        assert (buffer.state.waiting, buffer.state.dropped) == (3, 2)
    assert ids_of(settings) == sorted(ids[2:])
    with EventBuffer(ingester, path=file, max_events=1, when_full="refuse", flush_every=None) as strict:
        strict.track("like", "c1", "s1")
        with pytest.raises(BufferFull):
            strict.track("like", "c1", "s1")
    with pytest.raises(RuntimeError):
        strict.track("like", "c1", "s1")


def test_events_carry_ids_that_sort_by_time_and_only_what_json_can_say() -> None:
    with MetricsClient(AWAY, "mk_1") as client:
        buffer = EventBuffer(client, flush_every=None)
        first = buffer.track("like", "c1", "s1")
        time.sleep(0.002)
        second = buffer.track("like", "c1", "s1", client_ts=datetime.now(UTC))
        assert first < second
        assert first[14] == "7"
        for bad in (float("nan"), object(), "x" * 40_000, datetime(2026, 1, 1)):  # noqa: DTZ001
            with pytest.raises(ValueError, match=r"JSON|bytes|offset"):
                buffer.track("like", "c1", "s1", watch_time=bad)
        assert buffer.close(0.0) == 2


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with MetricsClient(AWAY, "mk_1") as client:
        buffer = EventBuffer(client, path=tmp_path / "w.db", flush_every=None)
        buffer.track("like", "c1", "s1", user_id="anna")
        assert {file.stat().st_mode & 0o077 for file in tmp_path.glob("w.db*")} == {0}
        buffer.close(0.0)
