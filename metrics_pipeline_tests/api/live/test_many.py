"""The benchmark of many connections, small: the real command, an update several times a second, nothing lost."""

from __future__ import annotations

from pathlib import Path

from benchmarks.live import run


def test_no_connection_loses_or_reorders_an_update(tmp_path: Path) -> None:
    figures = run(tmp_path, connections=20, updates=6, every=0.1, poll_seconds=0.05)
    assert figures.faults == []
    assert 20 <= figures.received <= 20 * 6
    assert figures.latency(0.5) < 5000  # how fast it is on a quiet machine: make bench-live
