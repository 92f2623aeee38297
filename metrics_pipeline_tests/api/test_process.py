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
from uuid import uuid4

import httpx
import pytest

from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import BATCH, PAGE, TRACK, event
from metrics_pipeline_tests.api.stored import accepted

CANARY = "canary-9c1b"


class Process:
    """The command, with all that it prints."""

    def __init__(self, settings: Settings) -> None:
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
            ],
            env={"PATH": os.environ["PATH"], "METRICS_DATA_DIR": str(settings.data_dir)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.monotonic() + 20
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
    headers = {"Authorization": f"Bearer {key()}"}
    taken: list[str] = []

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

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    deadline = time.monotonic() + 20
    while len(taken) < 200 and time.monotonic() < deadline:
        time.sleep(0.01)
    api.stop(number)
    for sender in senders:
        sender.join()

    stored = [row["event_id"] for row in accepted(settings)]
    assert len(taken) >= 200
    assert set(taken) <= set(stored)
    assert len(stored) == len(set(stored))


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
