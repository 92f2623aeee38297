"""The real API for a measurement: the command in a process of its own, over a data directory, on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 30.0
STOP_SECONDS = 30.0
_COMMAND = "from metrics_pipeline.cli.main import main; main()"


@dataclass(frozen=True)
class Served:
    port: int
    process_id: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(directory: Path, **settings: str) -> Iterator[Served]:
    """The API until the end of the block; settings as environment variables, without METRICS_."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "METRICS_DATA_DIR": str(directory)}
    environment |= {f"METRICS_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-c", _COMMAND, "api", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 1):
                    break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the API did not start") from None
                time.sleep(0.05)
        yield Served(port, process.pid)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
