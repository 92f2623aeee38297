"""A server that answers as it is told to, and a proxy that cuts connections: real sockets, both."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """body: bytes as they are, anything else as JSON."""

    status: int = 200
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Scripted:
    """Where the server is, and what it got. Each reply is given once, the last one for ever; None hangs up."""

    url: str
    replies: list[Reply | None]
    received: list[Received] = field(default_factory=list)


@contextmanager
def scripted(*replies: Reply | None) -> Iterator[Scripted]:
    """A server that gives these replies."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.received.append(Received(self.command, self.path, dict(self.headers), body))
            reply = script.replies.pop(0) if len(script.replies) > 1 else script.replies[0]
            if reply is None:
                self.close_connection = True
                return
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - as http.server calls them

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script = Scripted(f"http://127.0.0.1:{server.server_address[1]}", list(replies))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()


_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# A batch of 100 events has some 15,000 bytes, the answer to it some 9,000: a connection carries one or two of them.
_MOST_THERE, _MOST_BACK = 40_000, 25_000


class CuttingProxy:
    """A TCP proxy that breaks every connection after some bytes, one way or the other, or says 503 itself.

    Cut on the way back, the server has stored what the client does not know of.
    """

    def __init__(self, target: str, seed: int) -> None:
        host, _, port = target.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._random = random.Random(seed)
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near, self._plan()), daemon=True).start()

    def _plan(self) -> tuple[str, int]:
        self.cuts += 1
        kind = self._random.choice(("there", "back", "back", "busy"))
        return kind, self._random.randrange(_MOST_THERE if kind == "there" else _MOST_BACK)

    def _carry(self, near: socket.socket, plan: tuple[str, int]) -> None:
        kind, count = plan
        try:
            if kind == "busy":
                near.recv(65_536)
                near.sendall(_BUSY)
                near.close()
                return
            far = socket.create_connection(self._target)
        except OSError:
            near.close()
            return

        def cut() -> None:
            for end in (near, far):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

        there = count if kind == "there" else None
        back = count if kind == "back" else None
        for source, sink, most in ((near, far, there), (far, near, back)):
            threading.Thread(target=_pump, args=(source, sink, most, cut), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, most: int | None, cut: Callable[[], None]) -> None:
    carried = 0
    with suppress(OSError):
        while data := source.recv(16_384):
            if most is not None and carried + len(data) > most:
                sink.sendall(data[: most - carried])
                break
            carried += len(data)
            sink.sendall(data)
    cut()
