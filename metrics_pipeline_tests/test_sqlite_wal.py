"""Write-ahead logging where several open a file at once."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from metrics_pipeline.sqlite_wal import use_wal

OPENERS = 4


def test_several_may_switch_a_new_file_at_once(tmp_path: Path) -> None:
    """SQLite refuses the second of two at once, without waiting: about two in five rounds see that."""
    barrier = Barrier(OPENERS)

    def switch(path: Path) -> str:
        connection = sqlite3.connect(path, timeout=5, isolation_level=None)
        barrier.wait()
        use_wal(connection)
        mode = str(connection.execute("pragma journal_mode").fetchone()[0])
        connection.close()
        return mode

    with ThreadPoolExecutor(OPENERS) as pool:
        for number in range(20):
            assert set(pool.map(switch, [tmp_path / f"{number}.db"] * OPENERS)) == {"wal"}


def test_a_file_that_stays_locked_is_told(tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("create table t (x)")
    holder.execute("begin exclusive")
    connection = sqlite3.connect(path, timeout=0.01, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        use_wal(connection, patience=0.1)
