"""Accepted events on their way into real-time metrics: handed over after their commit, counted a moment later.

Handing over is one append, so that an answer neither waits for the counting nor fails with it. What is lost here, with
the process or because too much waits, is found by the reconciliation with the stored events.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from metrics_pipeline.realtime.fed import EVENT_TYPE, FED, Fed
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.realtime import Realtime
from metrics_pipeline.realtime.series import Series
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.realtime.widths import SECOND, micros

# Events that came together are counted together: a hundred of a batch are some twenty updates.
GATHER_SECONDS = 0.02
# Counted in one go, in some 10 ms of the event loop.
MOST_AT_ONCE = 2000
ORIGIN = "api"

log = logging.getLogger(__name__)


class Accepted(Protocol):
    """What the feed knows of an event."""

    @property
    def workspace_id(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def columns(self) -> Mapping[str, object]: ...


class Feed:
    """Used on one event loop, but for `take`, which any thread may call."""

    def __init__(self, realtime: Realtime, most_waiting: int) -> None:
        """most_waiting: events that may wait; those beyond are not counted."""
        self._realtime = realtime
        self._most = most_waiting
        self._waiting: deque[Accepted] = deque()
        self._counting = asyncio.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False
        self.counted = self.dropped = 0
        # when events were last left out
        self.lost_at: datetime | None = None

    def take(self, events: Sequence[Accepted]) -> None:
        """Have events counted soon; returns at once and never fails."""
        room = max(0, self._most - len(self._waiting))
        self._waiting.extend(events[:room])
        if left := events[room:]:
            self._lost(left)
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
                self._loop.call_soon_threadsafe(self._wake.set)

    def start(self) -> None:
        """Count what is handed over from now on."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())

    async def settle(self) -> None:
        """Count all that was handed over until now."""
        async with self._counting:
            while self._waiting:
                events = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
                try:
                    await self._realtime.add(updates_of(events))
                except BaseException:
                    self._lost(events)
                    raise
                self.counted += len(events)

    async def close(self) -> None:
        """Count what waits, and stop."""
        self._is_closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self.settle()

    def _lost(self, events: Sequence[Accepted]) -> None:
        self.dropped += len(events)
        self.lost_at = events[-1].received_at

    async def _run(self) -> None:
        while not self._is_closing:
            await self._wake.wait()
            await asyncio.sleep(0 if self._is_closing else GATHER_SECONDS)
            self._wake.clear()
            try:
                await self.settle()
            except Exception as error:  # noqa: BLE001 - the boundary of a task nobody waits for: it goes on
                log.error("events could not be counted: %s", type(error).__qualname__)


def updates_of(events: Iterable[Accepted]) -> list[Update]:
    """Events as updates, those of one second and series together: all widths are whole seconds."""
    counts: dict[tuple[str, Fed, str | None, int, str], int] = {}
    values: dict[tuple[str, Fed, str | None, int, float | str], int] = {}
    for event in events:
        columns = event.columns
        if columns.get("origin", ORIGIN) != ORIGIN:
            continue
        event_type, is_bot = str(columns["event_type"]), bool(columns.get("is_bot"))
        second = micros(event.received_at) // SECOND * SECOND
        for fed in FED:
            field = fed.field_of(event_type)
            if field is None or (is_bot and not fed.with_bots):
                continue
            label = event_type if fed.by_type else None
            if fed.measure == "one":
                key = (event.workspace_id, fed, label, second, field)
                counts[key] = counts.get(key, 0) + 1
            elif (value := fed.value(columns)) is not None:
                valued = (event.workspace_id, fed, label, second, value)
                values[valued] = values.get(valued, 0) + 1
    updates = [
        Update(_series(workspace_id, fed, label), fed.kind, -count if field == "m" else count, second, unit=fed.unit)
        for (workspace_id, fed, label, second, field), count in counts.items()
    ]
    for (workspace_id, fed, label, second, value), count in values.items():
        update = Update(_series(workspace_id, fed, label), fed.kind, value, second, unit=fed.unit)
        updates += [update] * (1 if fed.kind is Kind.DISTINCT else count)
    return updates


def _series(workspace_id: str, fed: Fed, label: str | None) -> Series:
    return Series(workspace_id, fed.name, () if label is None else ((EVENT_TYPE, label),))
