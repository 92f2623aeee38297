"""Several API processes on one listener: started, replaced when one ends, stopped together.

Not uvicorn's own: it stops without a bound of time, and on Ctrl-C signals its processes twice, which cuts off requests.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from metrics_pipeline.api.operations.measures import SHARED_DIRECTORY
from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.events.inbox import uses_postgres
from metrics_pipeline.settings import Settings

# A worker that ends sooner never served: so many in a row, and the others would end the same way.
SOON_SECONDS = 10.0
MOST_EARLY_ENDS = 3
_LOOK_SECONDS = 0.2

log = logging.getLogger(__name__)


def check_shared_stores(settings: Settings) -> None:
    """Raises UserError where several processes would each have a store of their own."""
    missing = []
    if settings.redis_url is None:
        missing.append("METRICS_REDIS_URL (quotas, kept answers and live updates would be each process's own)")
    if not uses_postgres(settings):
        missing.append("METRICS_DATABASE_URL with Postgres (on one SQLite file they only wait for each other)")
    if missing:
        raise UserError(f"Several workers need {' and '.join(missing)}; without, serve with one.")


class Workers:
    """Processes that serve on a listener."""

    def __init__(self, listener: socket.socket, number: int, stop_seconds: float) -> None:
        """stop_seconds: after which a worker that was told to stop is killed."""
        self._listener = listener
        self._number = number
        self._stop_seconds = stop_seconds
        self._stopping = threading.Event()
        self._running: dict[subprocess.Popen[bytes], float] = {}
        self._early_ends = 0

    def run(self) -> None:
        """Until SIGINT or SIGTERM; returns once every process has ended.

        Raises:
            RunFailedError: they end as soon as they are started, or one had to be killed.
        """
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with tempfile.TemporaryDirectory(prefix="metrics-pipeline-api-") as counts:
                try:
                    self._keep_running(counts)
                finally:
                    killed = self._stop_all()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._early_ends >= MOST_EARLY_ENDS:
            raise RunFailedError("API workers end as soon as they are started; their own messages say why.")
        if killed:
            raise RunFailedError(f"{killed} API workers had not ended after {self._stop_seconds:g} seconds.")

    def _stop(self, *_: object) -> None:
        self._stopping.set()

    def _keep_running(self, counts: str) -> None:
        while not self._stopping.is_set() and self._early_ends < MOST_EARLY_ENDS:
            while len(self._running) < self._number:
                self._start(counts)
            # not a wait on the event alone: a signal handler runs between two short waits wherever it comes
            self._stopping.wait(_LOOK_SECONDS)
            for process in [process for process in self._running if process.poll() is not None]:
                lived = time.monotonic() - self._running.pop(process)
                self._early_ends = self._early_ends + 1 if lived < SOON_SECONDS else 0
                if not self._stopping.is_set():
                    log.warning("an API worker ended with status %d after %.0f seconds", process.returncode, lived)

    def _start(self, counts: str) -> None:
        descriptor = self._listener.fileno()
        process = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-m", "metrics_pipeline.api.operations.worker", str(descriptor)],
            stdin=subprocess.PIPE,
            pass_fds=[descriptor],
            env={**os.environ, SHARED_DIRECTORY: counts},
            start_new_session=True,  # Ctrl-C is for the parent, which tells each of them once
        )
        self._running[process] = time.monotonic()

    def _stop_all(self) -> int:
        """How many did not end by themselves."""
        for process in self._running:
            process.terminate()
        deadline = time.monotonic() + self._stop_seconds
        killed = 0
        for process in self._running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
        return killed
