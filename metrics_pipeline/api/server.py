"""The application as a running server: in the foreground, or in a thread for the demo and tests."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from types import TracebackType

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from metrics_pipeline.api.app import make_app
from metrics_pipeline.api.live.socket import MESSAGE_BYTES
from metrics_pipeline.api.operations.request_log import set_up_logs
from metrics_pipeline.api.operations.workers import Workers
from metrics_pipeline.api.services import Services
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.errors import UserError
from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.settings import Settings

HOST = "127.0.0.1"
# Requests under way get this long when the server stops; each waits for one commit, which takes milliseconds.
STOP_SECONDS = 10
# Then, at most, the statement of a read that was cut off, and what closing the stores takes.
CLOSE_SECONDS = 30
# What may wait to be accepted while the process is busy for a moment.
BACKLOG = 2048
_START_SECONDS = 10.0


def serve(settings: Settings, host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGINT or SIGTERM, with so many processes on the one port. Requests under way are answered and the
    events' queue is committed before it returns.

    Raises:
        UserError: the address or a store cannot be used; whether stores are shared was checked before.
        RunFailedError: the processes did not stay, or did not end.
    """
    with _listen(host, port) as listener:
        if workers == 1:
            serve_on(settings, listener)
            return
        _make_stores(settings)
        set_up_logs(settings)
        listener.listen(BACKLOG)
        Workers(listener, workers, STOP_SECONDS + CLOSE_SECONDS).run()


def serve_on(settings: Settings, listener: socket.socket) -> None:
    """Serve with this process, as `serve` does."""
    set_up_logs(settings)
    server = _Server(Services.open(settings), settings)
    with _ended_by_signals():
        server.run([listener])


def _make_stores(settings: Settings) -> None:
    """Before several processes would do so at once; and what is wrong is told once."""
    control = open_control(settings)
    try:
        load_key_ring(settings)
        open_inbox(settings).close()
    finally:
        control.dispose()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A signal that uvicorn has followed is sent again by it once everything is closed: it ends nothing any more."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """Tells live connections goodbye before it closes them; uvicorn would wait for them to end by themselves."""

    def __init__(self, services: Services, settings: Settings) -> None:
        super().__init__(_config(services, settings))
        self._services = services

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's."""
        await self._services.live.say_goodbye()
        await super().shutdown(sockets)


class ApiServer:
    """A context manager around a server in a thread; port 0 asks for any free one."""

    def __init__(self, settings: Settings, port: int = 0) -> None:
        self._settings = settings
        self.port = port
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> ApiServer:
        listener = _listen(HOST, self.port)
        self.port = listener.getsockname()[1]
        self._server = _Server(Services.open(self._settings), self._settings)
        self._thread = Thread(target=self._server.run, args=([listener],), name="api", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                listener.close()
                raise RuntimeError("the API server did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise UserError(f"The address {host!r} cannot be used: {error.strerror}.") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise UserError(
            f"Port {port} on {host} cannot be used: {error.strerror}; choose another with --port."
        ) from None
    return listener


def _config(services: Services, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        make_app(services),
        # lines of requests are our own: uvicorn's have paths, which may name people
        log_config=None if settings.api_log == "json" else LOGGING_CONFIG,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here trusts an address
        backlog=BACKLOG,
        lifespan="on",
        timeout_graceful_shutdown=STOP_SECONDS,
        ws_max_size=2 * MESSAGE_BYTES,
        ws_ping_interval=settings.live_heartbeat_seconds,
        ws_ping_timeout=settings.live_heartbeat_seconds,
        ws_per_message_deflate=False,  # messages are small, and it costs memory per connection
    )
