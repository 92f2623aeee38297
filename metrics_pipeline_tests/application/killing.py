"""A process that reads the sample database day by day, and is killed in the middle of it."""

from __future__ import annotations

import multiprocessing
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from metrics_pipeline.sandbox.application import grow
from metrics_pipeline_tests.application.conftest import Source

FIRST, END = date(2026, 3, 16), date(2026, 3, 19)


def _read(directory: str) -> None:
    source = _source(Path(directory))
    (Path(directory) / "ready").touch()
    for n in range((END - FIRST).days):
        source.read("messages", FIRST + timedelta(days=n))
    (Path(directory) / "done").touch()


def _source(directory: Path) -> Source:
    return Source(f"sqlite:///{directory / 'application.db'}", directory, batch_rows=200)


def kill_while_reading(directory: Path, kills: int) -> Source:
    """Read the sample database in processes that are killed so many times, then once to the end."""
    directory.mkdir()
    grow(directory / "application.db", datetime(2026, 3, 18, 20, tzinfo=UTC), days=3, seed=7)
    if not kills:
        _read(str(directory))
        return _source(directory)
    context = multiprocessing.get_context("spawn")
    for n in range(kills + 1):
        (directory / "ready").unlink(missing_ok=True)
        process = context.Process(target=_read, args=(str(directory),))
        process.start()
        if n < kills:
            while process.is_alive() and not (directory / "ready").exists():
                time.sleep(0.005)
            time.sleep(0.1 + 0.15 * n)
            process.kill()
        process.join()
    assert (directory / "done").exists()
    return _source(directory)
