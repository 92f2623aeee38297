"""The sandbox as a process of its own: its work and its caller's then share no interpreter."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from types import TracebackType

import httpx

from metrics_pipeline.sandbox.server import HOST, base_url

# Importing and binding take about a second on a slow core.
START_SECONDS = 30.0
STOP_SECONDS = 5.0

_PROGRAM = (
    "import sys; from metrics_pipeline.clock import SystemClock; from metrics_pipeline.sandbox.server import serve; "
    "serve(int(sys.argv[1]), int(sys.argv[2]), SystemClock())"
)


class SandboxProcess:
    """A context manager around `serve` in a child process on a free port."""

    def __init__(self, seed: int) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port: int = probe.getsockname()[1]
        self._command = [sys.executable, "-c", _PROGRAM, str(self.port), str(seed)]
        self._process: subprocess.Popen[bytes] | None = None

    def base_url(self, platform: str) -> str:
        return base_url(self.port, platform)

    def request_count(self) -> int:
        """Requests answered so far."""
        return int(httpx.get(f"http://{HOST}:{self.port}/sandbox/log", timeout=30).json()["total"])

    def __enter__(self) -> SandboxProcess:
        self._process = subprocess.Popen(self._command)  # noqa: S603 - this very interpreter
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.get(f"http://{HOST}:{self.port}/sandbox/health", timeout=5).raise_for_status()
                return self
            except httpx.HTTPError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self._stop()
                    raise RuntimeError("the sandbox process did not start") from None
                time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process = None
