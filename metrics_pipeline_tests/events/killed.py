"""What the processes of the kill proof do until they are killed."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event as Signal
from pathlib import Path

from deltalake import DeltaTable
from pydantic import SecretStr

from metrics_pipeline.events.drain import drain
from metrics_pipeline.events.inbox import InboxUnavailableError, open_inbox
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.lake.lake import Addition, Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.events.samples import Sent, handover, like

BATCH = 20


def settings_of(directory: str, url: str | None) -> Settings:
    database_url = None if url is None else SecretStr(url)
    return Settings(data_dir=Path(directory), database_url=database_url, event_commit_milliseconds=2)


class Journal:
    """Lines that survive the death of their writer: each is one write to a file opened for appending."""

    def __init__(self, directory: str, name: str) -> None:
        self._path = Path(directory) / name
        self._file = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def write(self, names: list[str]) -> None:
        if names:
            os.write(self._file, ("\n".join(names) + "\n").encode())

    def read(self) -> list[str]:
        return self._path.read_text().splitlines()

    def close(self) -> None:
        os.close(self._file)


def send(
    directory: str,
    url: str | None,
    life: int,
    ready: Signal,
    event_of: Callable[[str], Sent] = like,
    pause: float = 0.02,
) -> None:
    """A client and its server in one: first repeats what was never answered, then goes on with new events."""
    sent, answered = Journal(directory, "sent"), Journal(directory, "answered")
    open_ones = sorted(set(sent.read()) - set(answered.read()))
    ingestion = Ingestion.open(settings_of(directory, url))
    batches = _batches(open_ones, life)
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                batch = next(batches)
            sent.write(batch)
            results = ingestion.submit_blocking(handover(), [event_of(name) for name in batch])
            answered.write([r.event_id or "" for r in results if r.status in ("accepted", "duplicate")])
            ready.set()
            time.sleep(pause)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _batches(first: list[str], life: int) -> Iterator[list[str]]:
    for start in range(0, len(first), BATCH):
        yield first[start : start + BATCH]
    number = 0
    while True:
        yield [f"{life}-{number + n}" for n in range(BATCH)]
        number += BATCH


class Telling(Lake):
    """Tells its first commit."""

    def __init__(self, location: str, committed: Signal) -> None:
        super().__init__(location)
        self._committed = committed

    def append_following(
        self, name: str, app_id: str, version: int, produce: Callable[[DeltaTable, int], Addition | None]
    ) -> int | None:
        made = super().append_following(name, app_id, version, produce)
        if made is not None:
            self._committed.set()
        return made


def drain_on(directory: str, url: str | None, ready: Signal, drained: Signal) -> None:
    """Drain again and again, in pieces small enough that a kill hits every step; tells its first commit."""
    lake = Telling(str(Path(directory) / "lake"), drained)
    inbox = open_inbox(settings_of(directory, url))
    chance = random.Random(os.getpid())
    ready.set()
    while True:
        try:
            drain(inbox, lake, chunk=chance.choice((50, 400, 5000)))
        except InboxUnavailableError:
            continue  # the sender is being killed at this moment
