"""The thread that writes to the inbox: takes what waits, commits it as one group, then tells everybody in it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metrics_pipeline.events.inbox import Inbox, InboxRow, InboxUnavailableError


@dataclass(frozen=True, slots=True)
class Retry:
    """Why nothing of a hand-over is stored."""

    code: str
    detail: str


Settle = Callable[[list[bool] | Retry], None]

QUEUE_FULL = Retry("queue_full", "more events wait than can be taken; send it again")
STOPPING = Retry("stopping", "the service is stopping; send it again")
FAILED = Retry("unavailable", "events cannot be taken just now; send it again")


@dataclass(frozen=True, slots=True)
class _Waiting:
    rows: Sequence[InboxRow]
    settle: Settle
    loop: asyncio.AbstractEventLoop | None
    """Where `settle` is to run; None for the committer's own thread."""


class Committer:
    """A bounded queue and its one thread.

    A group is what came within `interval` seconds of its first rows, or `group` rows; hand-overs are not divided.
    """

    def __init__(self, inbox: Inbox, *, capacity: int, interval: float, group: int) -> None:
        self._inbox = inbox
        self._capacity, self._interval, self._group = capacity, interval, group
        self._waiting: deque[_Waiting] = deque()
        self._queued = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="event-committer", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive() and not self._closed

    @property
    def queued(self) -> int:
        return self._queued

    def put(self, rows: Sequence[InboxRow], settle: Settle, loop: asyncio.AbstractEventLoop | None) -> Retry | None:
        """Queue rows: `settle` is called once with their outcome. Or say at once why they are not taken."""
        with self._changed:
            if self._closed:
                return STOPPING
            if not self._thread.is_alive():
                return FAILED
            # a hand-over larger than the whole queue is taken when nothing else waits, or it never would be
            if self._queued and self._queued + len(rows) > self._capacity:
                return QUEUE_FULL
            self._waiting.append(_Waiting(rows, settle, loop))
            self._queued += len(rows)
            self._changed.notify()
        return None

    def close(self) -> None:
        """Take no more and return when all that waits is settled."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while group := self._next_group():
                self._commit(group)
        finally:  # nobody waits for ever, should this thread end for a reason nobody thought of
            with self._changed:
                left, self._queued = list(self._waiting), 0
                self._waiting.clear()
                self._closed = True
            _tell([(waiting, FAILED) for waiting in left])

    def _next_group(self) -> list[_Waiting]:
        """Wait for rows, and then a little for more. Empty when all is done and no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._closed:
                self._changed.wait_for(lambda: self._queued >= self._group or self._closed, self._interval)
            taken: list[_Waiting] = []
            rows = 0
            while self._waiting and rows < self._group:
                taken.append(self._waiting.popleft())
                rows += len(taken[-1].rows)
            self._queued -= rows
            return taken

    def _commit(self, group: list[_Waiting]) -> None:
        outcomes: list[tuple[_Waiting, list[bool] | Retry]] = [(waiting, FAILED) for waiting in group]
        try:
            taken = self._inbox.append([row for waiting in group for row in waiting.rows])
            start = 0
            for place, waiting in enumerate(group):
                end = start + len(waiting.rows)
                outcomes[place] = (waiting, taken[start:end])
                start = end
        except InboxUnavailableError as error:
            retry = Retry(f"inbox_{error.reason}", "events cannot be stored just now; send it again")
            outcomes = [(waiting, retry) for waiting in group]
        finally:
            _tell(outcomes)


def _tell(outcomes: Sequence[tuple[_Waiting, list[bool] | Retry]]) -> None:
    """Each event loop is woken once for all its waiting callers."""
    by_loop: defaultdict[asyncio.AbstractEventLoop | None, list[tuple[Settle, list[bool] | Retry]]] = defaultdict(list)
    for waiting, outcome in outcomes:
        by_loop[waiting.loop].append((waiting.settle, outcome))
    for loop, settled in by_loop.items():
        if loop is None:
            _settle_all(settled)
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed: its callers are gone
                loop.call_soon_threadsafe(_settle_all, settled)


def _settle_all(settled: Sequence[tuple[Settle, list[bool] | Retry]]) -> None:
    for settle, outcome in settled:
        settle(outcome)
