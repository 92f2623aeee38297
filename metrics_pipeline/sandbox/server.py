"""The sandbox as a running server: in a background thread for tests and the demo, or in the foreground."""

from __future__ import annotations

import socket
import time
from threading import Thread
from types import TracebackType

import uvicorn

from metrics_pipeline.clock import Clock, SystemClock
from metrics_pipeline.sandbox.app import ANSWERS, make_app
from metrics_pipeline.sandbox.faults import FaultBook
from metrics_pipeline.sandbox.request_log import RequestLog

HOST = "127.0.0.1"
PLATFORMS = tuple(ANSWERS)
_START_SECONDS = 10.0  # a start takes about 50 ms; ten seconds mean something is wrong


def base_url(port: int, platform: str) -> str:
    """What to set as METRICS_<PLATFORM>_BASE_URL; `{at}` stays for the adapter to fill.

    Raises:
        ValueError: the sandbox does not play this platform.
    """
    if platform not in PLATFORMS:
        raise ValueError(f"the sandbox does not play {platform}; it plays {', '.join(PLATFORMS)}")
    return f"http://{HOST}:{port}/at/{{at}}/{platform}"


class SandboxServer:
    """A context manager around a server in a thread.

    port: the port in use (0 asks for any free one). faults: switch faults on and off here. requests: what was asked.
    """

    def __init__(self, port: int = 0, seed: int = 7, clock: Clock | None = None) -> None:
        self.port = port
        self.seed = seed
        self.faults = FaultBook()
        self.requests = RequestLog()
        self._app = make_app(seed, clock or SystemClock(), self.faults, self.requests)
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None

    def base_url(self, platform: str) -> str:
        return base_url(self.port, platform)

    def start(self) -> SandboxServer:
        """Listen and answer; returns once requests are accepted.

        Raises:
            OSError: the port is taken.
            RuntimeError: the server did not come up.
        """
        listener = _listen(self.port)
        self.port = listener.getsockname()[1]
        self._server = uvicorn.Server(_config(self._app))
        self._thread = Thread(target=self._server.run, args=([listener],), name="sandbox", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                listener.close()
                raise RuntimeError("the sandbox server did not start")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Finish the requests under way and stop; does nothing where it does not run."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(port: int, seed: int, clock: Clock) -> None:
    """Run in the foreground until interrupted.

    Raises:
        OSError: the port is taken.
    """
    listener = _listen(port)
    server = uvicorn.Server(_config(make_app(seed, clock, FaultBook(), RequestLog())))
    server.run([listener])


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


def _config(app: object) -> uvicorn.Config:
    # Quick shutdown: a client that keeps its connection open must not hold the process.
    return uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1)  # type: ignore[arg-type]
