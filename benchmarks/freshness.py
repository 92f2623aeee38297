"""From an event over HTTP to content_metrics, and from a request for erasure to nothing left, with the daemon running.

    python -m benchmarks.freshness [--events 3]

Starts `metrics-pipeline dev` on a directory of its own. Every planted id is afterwards looked for, byte by byte, in
every file of that directory (lake, databases, Dagster's own storage and logs) and in all that the programs printed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
from deltalake.exceptions import DeltaError

from metrics_pipeline.control.api_keys import ADMIN, INGEST, Rights, create_key
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings

PROGRAM = str(Path(sys.executable).with_name("metrics-pipeline"))
PORTS = ("3991", "8011")
PLANTED = b"planted-"
PATIENCE = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=3, help="events timed, one after the other")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-freshness-") as name:
        directory = Path(name) / "data"
        log = Path(name) / "programs.log"
        pipeline = Pipeline(load_settings(data_dir=directory))
        now = datetime.now(UTC)
        add_workspace(pipeline.control, "Acme", "acme", now=now)
        key = create_key(pipeline.control, pipeline.ring, Rights("acme", [INGEST, ADMIN], []), now=now)[1].reveal()
        with log.open("wb") as output:
            command = [PROGRAM, "dev", "--port", PORTS[0], "--api-port", PORTS[1], "--data-dir", str(directory)]
            dev = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                headers = {"Authorization": f"Bearer {key}"}
                with httpx.Client(base_url=f"http://127.0.0.1:{PORTS[1]}", headers=headers, timeout=30) as client:
                    _wait("the API to answer", lambda: _answers(client))
                    time.sleep(20)  # the daemon's first ticks
                    for n in range(given.events):
                        _time_event(client, pipeline, n)
                    _time_erasure(client, Path(name), pipeline)
            finally:
                os.killpg(dev.pid, signal.SIGINT)
                dev.wait(60)
        _print("files with a planted id after everything stopped", len(_found(Path(name), pipeline)))


def _time_event(client: httpx.Client, pipeline: Pipeline, n: int) -> None:
    event = {
        "eventId": f"planted-event-{n}",
        "eventType": "view_start",
        "contentId": f"video-{n}",
        "sessionId": f"planted-session-{n}",
        "userId": "planted-person",
    }
    started = time.monotonic()
    assert client.post("/v1/events/track", json=event).status_code == 202
    _wait("the event to be visible", lambda: _views(pipeline, f"video-{n}") == 1)
    _print(f"event {n} visible in content_metrics after, s", round(time.monotonic() - started, 1))


def _time_erasure(client: httpx.Client, place: Path, pipeline: Pipeline) -> None:
    _print("files with a planted id before", len(_found(place, pipeline)))
    started = time.monotonic()
    answer = client.delete("/v1/users/planted-person").json()["data"]
    path = f"/v1/erasures/{answer['erasure_id']}"

    def state() -> str:
        return str(client.get(path).json()["data"]["state"])

    _wait("the rows to be gone", lambda: state() != "requested")
    _print("every row gone after, s", round(time.monotonic() - started, 1))
    _wait("completion", lambda: state() == "completed")
    _print("completed after, s", round(time.monotonic() - started, 1))
    _print("rows deleted", client.get(path).json()["data"]["proof"]["rows_deleted"])
    _print("files with a planted id", _found(place, pipeline))


def _views(pipeline: Pipeline, content_id: str) -> int | None:
    try:
        with pipeline.engine.session() as session:
            rows = session.run("select views from content_metrics where content_id = $c", {"c": content_id}).read_all()
    except (DeltaError, OSError):  # a version that was replaced just now
        return None
    return rows["views"][0].as_py() if rows.num_rows else None


def _found(place: Path, pipeline: Pipeline) -> list[str]:
    spill = spill_directory(pipeline.lake.location)
    found = []
    for file in (file for directory in (place, spill) for file in directory.rglob("*")):
        try:
            if file.is_file() and PLANTED in file.read_bytes():
                found.append(str(file.relative_to(place) if file.is_relative_to(place) else file))
        except FileNotFoundError:
            continue
    return found


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def _wait(what: str, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(0.5)


def _print(what: str, value: object) -> None:
    sys.stdout.write(f"{what}: {value}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
