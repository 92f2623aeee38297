"""`metrics-pipeline api` as a process: what it prints, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import pytest

from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, PAGE, TRACK, event
from metrics_pipeline_tests.api.stored import accepted

CANARY = "canary-9c1b"


class Process:
    """The command, with all that it prints."""

    def __init__(self, settings: Settings, *arguments: str, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from metrics_pipeline.cli.main import main; main()",
                "api",
                "--port",
                str(self.port),
                *arguments,
            ],
            env={"PATH": os.environ["PATH"], "METRICS_DATA_DIR": str(settings.data_dir), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the API did not start")

    def stop(self, number: signal.Signals) -> str:
        """Send a signal; everything that was printed until the end."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=20)[0]


@pytest.fixture
def api(settings: Settings) -> Iterator[Process]:
    process = Process(settings)
    yield process
    process.process.kill()
    process.process.communicate()


def test_no_secret_and_nothing_sent_is_printed(api: Process, key: Callable[..., str]) -> None:
    server_key, browser_key = key(), key(origins=(PAGE,))
    for text in (server_key, browser_key, server_key[:-2] + "zz"):
        for path, body in ((TRACK, event(userId=CANARY)), (BATCH, {"batch": [event(userId=CANARY), {CANARY: CANARY}]})):
            headers = {"Authorization": f"Bearer {text}", "Origin": PAGE, "User-Agent": CANARY}
            httpx.post(f"{api.url}{path}?{CANARY}={CANARY}", json=body, headers=headers)
            httpx.post(f"{api.url}{path}", content=CANARY, headers={**headers, "Content-Type": "application/json"})
    httpx.get(f"{api.url}/{CANARY}")

    printed = api.stop(signal.SIGINT)

    assert f"API: {api.url}/v1" in printed
    assert printed.endswith("API stopped.\n")
    assert CANARY not in printed
    assert all(text[14:] not in printed and text[14:30] not in printed for text in (server_key, browser_key))
    assert api.process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_it_and_what_was_answered_is_stored(
    api: Process, key: Callable[..., str], settings: Settings, number: signal.Signals
) -> None:
    headers = {"Authorization": f"Bearer {key('acme', 'ingest', 'read')}"}
    stopped = under_load(api, headers, number)

    assert api.process.returncode == 0
    stored = [row["event_id"] for row in accepted(settings)]
    assert set(stopped.taken) <= set(stored)
    assert len(stored) == len(set(stored))


@dataclass
class Stopped:
    """Ids of events that were answered with 202, and what other answers there were."""

    taken: list[str] = field(default_factory=list)
    others: set[int] = field(default_factory=set)
    seconds: float = 0.0


def under_load(api: Process, headers: dict[str, str], number: signal.Signals) -> Stopped:
    """Stop a process while events, reads and live connections come; each is answered whole or cut off, and new
    connections are refused.
    """
    found = Stopped()
    taken = found.taken

    def send() -> None:
        with httpx.Client(base_url=api.url, headers=headers) as client:
            while True:
                ids = [str(uuid4()) for _ in range(20)]
                try:
                    answer = client.post(BATCH, json={"batch": [event(eventId=id_) for id_ in ids]})
                except httpx.TransportError:
                    return
                if answer.status_code == 202:
                    taken.extend(ids)

    def read() -> None:
        with httpx.Client(base_url=api.url, headers=headers) as client:
            while True:
                try:
                    found.others.add(client.get("/v1/trending").status_code)
                except httpx.TransportError:
                    return

    def listen() -> None:
        with (
            suppress(httpx.TransportError),
            httpx.stream("GET", f"{api.url}/v1/live", headers=headers, timeout=60) as answer,
        ):
            found.others.add(answer.status_code)
            for _ in answer.iter_bytes():
                pass

    senders = [threading.Thread(target=work) for work in (send, send, send, read, listen)]
    for sender in senders:
        sender.start()
    deadline = time.monotonic() + 20
    while len(taken) < 200 and time.monotonic() < deadline:
        time.sleep(0.01)
    started = time.monotonic()
    api.stop(number)
    found.seconds = time.monotonic() - started
    for sender in senders:
        sender.join()
    assert len(taken) >= 200
    assert found.others <= {200, 429, 503}
    assert found.seconds < 15
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{api.url}/healthz")
    return found


def test_a_port_in_use_is_one_sentence(api: Process, settings: Settings) -> None:
    second = subprocess.run(
        [sys.executable, "-c", "from metrics_pipeline.cli.main import main; main()", "api", "--port", str(api.port)],
        env={"PATH": os.environ["PATH"], "METRICS_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 2
    assert second.stderr.startswith(f"error: Port {api.port} on 127.0.0.1 cannot be used")
    assert second.stderr.count("\n") == 1
