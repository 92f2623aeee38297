"""The application as a running server: in the foreground, or in a thread for the demo and tests."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from threading import Thread
from types import TracebackType

import uvicorn

from metrics_pipeline.api.app import make_app
from metrics_pipeline.api.live.socket import MESSAGE_BYTES
from metrics_pipeline.api.services import Services
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings

HOST = "127.0.0.1"
# Requests under way get this long when the server stops; each waits for one commit, which takes milliseconds.
STOP_SECONDS = 10
# What may wait to be accepted while the process is busy for a moment.
BACKLOG = 2048
_START_SECONDS = 10.0


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until interrupted. Requests under way are answered and the events' queue is committed before it returns.

    Raises:
        UserError: the address or a store cannot be used.
    """
    listener = _listen(host, port)
    with listener:
        server = _Server(Services.open(settings), settings)
        with suppress(KeyboardInterrupt):  # raised anew by uvicorn once everything is closed
            server.run([listener])


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
        log_level="warning",
        access_log=False,  # paths may name people, and a line per request says nothing that is not counted elsewhere
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
