"""How live updates reach many connections at once: run with `make bench-live`.

The server is the real command in a process of its own. Every second a commit writes one day again with a new number for
every workspace; half of the connections are WebSockets, half server-sent events. Every connection checks that its ids
follow one another without a gap and that its numbers rise to the last one; latency is from the commit to the arrival.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
from websockets.asyncio.client import connect

from benchmarks.serving import serving
from metrics_pipeline.control.api_keys import Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.settings import load_settings

DAY = date(2026, 11, 20)
PER_WORKSPACE = 10
# After the last commit: two looks, and some for a busy machine.
LAST_SECONDS = 10.0


@dataclass
class Figures:
    """What a run showed. faults: connections that lost or reordered something, in words."""

    connections: int
    updates: int
    seconds: float = 0.0
    received: int = 0
    latencies: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    processor_seconds: float = 0.0
    memory_before: int = 0
    memory_after: int = 0

    def latency(self, share: float) -> float:
        """Milliseconds that this share of updates took at most."""
        return sorted(self.latencies)[min(len(self.latencies) - 1, int(len(self.latencies) * share))] * 1000


class Committer:
    """Writes the day again with a new number for everybody, and remembers when that was there."""

    def __init__(self, directory: Path, workspaces: list[str]) -> None:
        self._lake = Lake.open(load_settings(data_dir=directory))
        self._workspaces = workspaces
        self.at: dict[int, float] = {}

    def commit(self, number: int) -> None:
        spec = self._lake.tables["daily_metrics"]
        rows = [
            {
                "date": DAY,
                "workspace_id": workspace,
                "platform": "x",
                "entity_type": "workspace",
                "entity_id": workspace,
                "metric": "views",
                "value": float(number),
                "state": "value",
            }
            for workspace in self._workspaces
        ]
        table = pa.Table.from_pylist(rows, spec.schema)
        only = Partitions(equals={"date": DAY.isoformat(), "entity_type": "workspace"})
        self._lake.replace("daily_metrics", only, lambda _: table)
        self.at[number] = time.monotonic()


class Listener:
    """What one connection heard."""

    def __init__(self, figures: Figures, committer: Committer, name: str) -> None:
        self._figures = figures
        self._committer = committer
        self._name = name
        self._place = 0
        self.newest = 0.0

    def heard(self, text: str) -> None:
        now = time.monotonic()
        told = json.loads(text)
        if told["type"] != "metrics.updated":
            if told["type"] in ("reset", "bye", "error"):
                self._figures.faults.append(f"{self._name}: {text}")
            return
        place = int(told["id"].rpartition("-")[2])
        value = told["data"]["values"][0]["value"]
        if place != self._place + 1 or value <= self.newest or "conflated" in told:
            self._figures.faults.append(f"{self._name}: {self._place} {self.newest} then {place} {value}")
        self._place, self.newest = place, value
        self._figures.received += 1
        # a commit that was seen before its writer knew of it took no time
        self._figures.latencies.append(max(0.0, now - self._committer.at.get(int(value), now)))


async def websocket(port: int, key: str, workspace: str, listener: Listener, ready: asyncio.Event) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with connect(f"ws://127.0.0.1:{port}/v1/live/ws", additional_headers=headers, open_timeout=60) as connection:
        await connection.send(json.dumps({"type": "subscribe", "channels": [f"workspace:{workspace}"]}))
        async for text in connection:
            if json.loads(text)["type"] == "subscribed":
                ready.set()
            listener.heard(str(text))


async def event_stream(port: int, key: str, listener: Listener, ready: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        while line := await reader.readline():
            if line.startswith(b"data: "):
                ready.set()
                listener.heard(line[6:].decode())
    finally:
        writer.close()


def make_workspaces(directory: Path, count: int) -> dict[str, str]:
    """Keys by workspace."""
    settings = load_settings(data_dir=directory)
    control, now = open_control(settings), datetime.now(UTC)
    ring = load_key_ring(settings)
    keys = {}
    for number in range(count):
        name = f"w{number}"
        add_workspace(control, name, now=now)
        keys[name] = create_key(control, ring, Rights(name, ["read"]), now=now)[1].reveal()
    control.dispose()
    return keys


def used(pid: int) -> tuple[float, int]:
    """Processor seconds and resident bytes of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks, int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


async def listen(
    port: int, pid: int, figures: Figures, committer: Committer, keys: dict[str, str], updates: int, every: float
) -> None:
    loop = asyncio.get_running_loop()
    listeners, tasks = [], []
    figures.memory_before = used(pid)[1]
    for number in range(figures.connections):
        workspace = list(keys)[number // 2 % len(keys)]
        kind = "ws" if number % 2 else "sse"
        listener, ready = Listener(figures, committer, f"{kind} {number} of {workspace}"), asyncio.Event()
        if number % 2:
            work = websocket(port, keys[workspace], workspace, listener, ready)
        else:
            work = event_stream(port, keys[workspace], listener, ready)
        tasks.append(asyncio.create_task(work))
        listeners.append(listener)
        await asyncio.wait_for(ready.wait(), 20)
    cpu, figures.memory_after = used(pid)
    started = loop.time()
    for number in range(1, updates + 1):
        await asyncio.sleep(max(0.0, started + (number - 1) * every - loop.time()))
        await asyncio.to_thread(committer.commit, number)
    deadline = loop.time() + LAST_SECONDS
    while loop.time() < deadline and any(listener.newest < updates for listener in listeners):
        await asyncio.sleep(0.05)
    figures.seconds = loop.time() - started
    figures.processor_seconds = used(pid)[0] - cpu
    figures.memory_after = max(figures.memory_after, used(pid)[1])
    figures.faults += [
        f"{number}: ended at {one.newest}" for number, one in enumerate(listeners) if one.newest < updates
    ]
    figures.faults += [f"{number}: {task!r}" for number, task in enumerate(tasks) if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def run(directory: Path, connections: int, updates: int, every: float = 1.0, poll_seconds: float = 1.0) -> Figures:
    """One run in an empty data directory."""
    figures = Figures(connections, updates)
    keys = make_workspaces(directory, max(1, connections // PER_WORKSPACE))
    committer = Committer(directory, list(keys))
    committer.commit(0)
    with serving(directory, LIVE_POLL_SECONDS=str(poll_seconds)) as served:
        port, pid = served.port, served.process_id
        asyncio.run(listen(port, pid, figures, committer, keys, updates, every))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=60, help="one commit in each")
    parser.add_argument("--poll", type=float, default=1.0, help="METRICS_LIVE_POLL_SECONDS")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    with tempfile.TemporaryDirectory(prefix="bench-live-") as name:
        figures = run(Path(name), given.connections, given.seconds, poll_seconds=given.poll)
    print(f"connections             {figures.connections:9,} half WebSocket, half server-sent events")
    print(f"commits                 {figures.updates:9,} one a second, of every workspace")
    print(f"updates received        {figures.received:9,}")
    print(f"commit to arrival, 50 % {figures.latency(0.5):9.0f} ms")
    print(f"commit to arrival, 99 % {figures.latency(0.99):9.0f} ms")
    print(f"server's processor      {figures.processor_seconds / figures.seconds * 100:9.1f} % of one")
    before, after = figures.memory_before / 1e6, figures.memory_after / 1e6
    print(f"server's memory         {before:9.0f} MB before, {after:.0f} MB with them")
    print(f"faults                  {len(figures.faults):9,}")
    if figures.faults:
        raise SystemExit("\n".join(figures.faults[:20]))


if __name__ == "__main__":
    main()
