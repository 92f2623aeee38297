"""kill -9 at random moments of accepting and draining: what was answered is stored, and everything once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from metrics_pipeline.events.drain import drain
from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline_tests.events.killed import Journal, drain_on, send, settings_of
from metrics_pipeline_tests.events.samples import handover, ids, like
from metrics_pipeline_tests.proofs.sizes import figure, size

# A server that has everything imported and forks for each life: a fresh interpreter would take seconds.
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "pandas",
        "pyarrow.json",
        "pytest",
        "sqlalchemy",
        "metrics_pipeline.events.postgres_inbox",
        "metrics_pipeline.events.sqlite_inbox",
        "metrics_pipeline_tests.events.killed",
    ]
)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_killed_at_any_moment_accepted_is_stored_and_stored_is_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, lake: Lake
) -> None:
    url: str | None = None
    if kind == "postgres":
        fresh: Callable[[], str] = request.getfixturevalue("postgres_url")
        url = fresh()
    directory, kills = str(tmp_path), size(5, 200)
    chance = random.Random(7)
    for life in range(kills):
        ready, drained = [CONTEXT.Event(), CONTEXT.Event()], CONTEXT.Event()
        processes = [
            CONTEXT.Process(target=send, args=(directory, url, life, ready[0]), daemon=True),
            CONTEXT.Process(target=drain_on, args=(directory, url, ready[1], drained), daemon=True),
        ]
        for process in processes:
            process.start()
        for signalled in ready:
            assert signalled.wait(30), f"life {life} did not get going"
        if life % 3 == 0:  # the other drains die at any step of their first piece, or before
            assert drained.wait(30), f"life {life} drained nothing"
        chance.shuffle(processes)
        for process in processes:
            time.sleep(chance.uniform(0, 0.15))
            os.kill(process.pid or 0, signal.SIGKILL)
        for process in processes:
            process.join(30)
            assert process.exitcode == -signal.SIGKILL
    _compare(directory, url, lake, kills)


def _compare(directory: str, url: str | None, lake: Lake, kills: int) -> None:
    settings = settings_of(directory, url)
    inbox = open_inbox(settings)
    by_the_killed = lake.version("events")
    drain(inbox, lake, chunk=10_000)
    sent, answered = set(Journal(directory, "sent").read()), set(Journal(directory, "answered").read())
    found = ids(lake)
    assert len(found) == len(set(found)), "something is stored twice"
    assert answered <= set(found), "something that was answered is lost"
    assert set(found) <= sent
    assert inbox.backlog().rows == 0
    # the client repeats what it never heard of: then everything is there, once
    with Ingestion.open(settings) as ingestion:
        ingestion.submit_blocking(handover(), [like(name) for name in sorted(sent - answered)])
    drain(inbox, lake, chunk=10_000)
    assert sorted(sent) == sorted(ids(lake))
    inbox.close()
    assert answered
    assert by_the_killed >= kills / 3
    figure("commits of the drains that were killed", by_the_killed)
    figure("kills, events sent, answered before the last kill", (kills, len(sent), len(answered)))
