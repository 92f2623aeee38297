"""Write-ahead logging for a SQLite file that several processes may open, and make, at once."""

from __future__ import annotations

import sqlite3
import time

# Switching takes milliseconds; several first openers switch one after the other.
PATIENCE_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 0.02


def use_wal(connection: sqlite3.Connection, patience: float = PATIENCE_SECONDS) -> None:
    """Write-ahead logging, once and for good: readers and one writer do not block each other.

    SQLite tells a second one who switches at the same moment at once that the file is locked, whatever timeout its
    connection has (it could be a deadlock): so it is asked again.

    Raises:
        sqlite3.OperationalError: it cannot be switched, or the file is locked for longer than `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(_ASK_AGAIN_SECONDS)
