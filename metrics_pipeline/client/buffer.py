"""Events of an application that may be offline: kept until the server has them, and sent in the background."""

from __future__ import annotations

import json
import logging
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

from metrics_pipeline.client.client import MetricsClient
from metrics_pipeline.client.delivery import MOST_BYTES, Outcome, Rejected, deliver
from metrics_pipeline.client.errors import ApiError
from metrics_pipeline.client.event_ids import new_event_id
from metrics_pipeline.client.event_store import open_store
from metrics_pipeline.client.sending import MOST_EVENTS, instant_text

EVENT_BYTES = 32_768
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
_FLUSH_SECONDS, _CLOSE_SECONDS = 30.0, 5.0

log = logging.getLogger(__name__)


class BufferFull(Exception):  # noqa: N818 - named for what it says
    """No event may be added until some were sent (`when_full="refuse"`)."""


@dataclass(frozen=True)
class BufferState:
    """How a buffer is. sent, rejected, dropped: events since it was opened. error: why the last try failed."""

    waiting: int
    sent: int
    rejected: int
    dropped: int
    error: ApiError | None


class EventBuffer:
    """Takes events at once and sends them in the background. Safe to use from several threads; close it.

    path: a file that keeps the events through a crash; without it they are gone with the process. max_events: that may
    wait; when_full: then the oldest are dropped (and counted), or `track` refuses. flush_every: seconds after which a
    waiting event is sent at the latest; None sends on `flush` only. on_rejected: called, in the thread that sends, with
    each event that the server will never take; without it they are logged by their code.
    """

    def __init__(
        self,
        client: MetricsClient,
        *,
        path: str | os.PathLike[str] | None = None,
        max_events: int = 10_000,
        when_full: Literal["drop_oldest", "refuse"] = "drop_oldest",
        flush_every: float | None = 5.0,
        on_rejected: Callable[[Rejected], object] | None = None,
    ) -> None:
        if max_events < 1:
            raise ValueError("max_events is at least 1.")
        self._client, self._owns_client = client, False
        self._max_events, self._when_full, self._flush_every = max_events, when_full, flush_every
        self._on_rejected = on_rejected
        self._store = open_store(path)
        self._lock = threading.Condition()  # the store and everything below; held for moments only
        self._sending = threading.Lock()  # one try at a time
        self._in_flight = 0
        self._since = time.monotonic()
        self._pause, self._paused_until, self._asked_until = FIRST_PAUSE, 0.0, 0.0
        self._sent = self._rejected = self._dropped = 0
        self._error: ApiError | None = None
        self._is_stopping = self._is_closed = False
        self._thread: threading.Thread | None = None
        if flush_every is not None:
            self._thread = threading.Thread(target=self._work, name="metrics-events", daemon=True)
            self._thread.start()

    @classmethod
    def to(
        cls,
        base_url: str,
        key: str,
        *,
        path: str | os.PathLike[str] | None = None,
        max_events: int = 10_000,
        when_full: Literal["drop_oldest", "refuse"] = "drop_oldest",
        flush_every: float | None = 5.0,
        on_rejected: Callable[[Rejected], object] | None = None,
    ) -> Self:
        """A buffer with a client of its own."""
        client = MetricsClient(base_url, key)
        try:
            buffer = cls(
                client,
                path=path,
                max_events=max_events,
                when_full=when_full,
                flush_every=flush_every,
                on_rejected=on_rejected,
            )
        except BaseException:
            client.close()
            raise
        buffer._owns_client = True
        return buffer

    def track(self, event_type: str, content_id: str | None, session_id: str, **fields: object) -> str:
        """Take an event that happens now; returns its id. Fields: columns of the table events, such as watch_time.

        follow and unfollow are about a creator: content_id None, and creator_id among the fields.

        Raises:
            BufferFull: there is no room, and older events are not to be dropped.
            ValueError: JSON cannot write it, or it is larger than the server takes.
            RuntimeError: the buffer is closed.
            sqlite3.Error: the file cannot be written, as when the disk is full.
        """
        event_id = new_event_id()
        event = {
            "event_id": event_id,
            "event_type": event_type,
            "content_id": content_id,
            "session_id": session_id,
            "client_ts": instant_text(self._client.now()),
            **fields,
        }
        given = {name: value for name, value in event.items() if value is not None}
        body = json.dumps(given, allow_nan=False, separators=(",", ":"), default=_written)
        if len(body) > EVENT_BYTES:
            raise ValueError(f"An event has at most {EVENT_BYTES} bytes.")
        with self._lock:
            if self._is_closed or self._is_stopping:
                raise RuntimeError("The buffer is closed.")
            if self._store.count() >= self._max_events and not self._make_room():
                return event_id
            self._store.add(event_id, body)
            if self._store.count() == 1:
                self._since = time.monotonic()
            if self._store.count() in (1, MOST_EVENTS):
                self._lock.notify_all()
        return event_id

    def flush(self, timeout: float = _FLUSH_SECONDS) -> bool:
        """Send what waits now; True if all of it arrived or was rejected within so many seconds."""
        deadline = time.monotonic() + timeout
        with self._lock:
            self._paused_until = 0.0  # somebody wants it now; what the server asked for still counts
            through = 0 if self._is_closed else self._store.last_place()
        while True:
            with self._lock:
                oldest = [] if self._is_closed else self._store.first(1, MOST_BYTES)
                if not oldest or oldest[0].place > through:
                    return True
                not_before = max(self._paused_until, self._asked_until)
            left = deadline - time.monotonic()
            pause = not_before - time.monotonic()
            if left <= 0 or pause >= left:
                return False
            if pause > 0:
                time.sleep(pause)
            elif not self._try(left):
                return False

    def close(self, timeout: float = _CLOSE_SECONDS) -> int:
        """Send what waits, for so many seconds, and end. Returns the events left: in the file for the next time, or,
        without one, lost.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            if self._is_stopping:
                return 0
            self._is_stopping = True
            self._lock.notify_all()
        self.flush(timeout)
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            left = self._store.count()
            self._is_closed = True
            self._store.close()
        if self._owns_client and (self._thread is None or not self._thread.is_alive()):
            self._client.close()
        return left

    @property
    def state(self) -> BufferState:
        """How it is just now."""
        with self._lock:
            waiting = 0 if self._is_closed else self._store.count()
            return BufferState(waiting, self._sent, self._rejected, self._dropped, self._error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _make_room(self) -> bool:
        """Drop the oldest event that is not on its way; False where all are, and the new one is the one to drop."""
        if self._when_full == "refuse":
            raise BufferFull(f"{self._max_events} events wait already.")
        self._dropped += 1
        return self._store.drop_oldest(self._in_flight)

    def _work(self) -> None:
        """The thread: a try whenever one is due."""
        while True:
            with self._lock:
                while not self._is_stopping and (wait := self._due_in()) > 0:
                    self._lock.wait(wait if wait < threading.TIMEOUT_MAX else None)
                if self._is_stopping:
                    return
            self._try(None)

    def _due_in(self) -> float:
        count = self._store.count()
        if not count:
            return float("inf")
        at = 0.0 if count >= MOST_EVENTS else self._since + (self._flush_every or 0.0)
        return max(at, self._paused_until, self._asked_until) - time.monotonic()

    def _try(self, timeout: float | None) -> bool:
        """Send one batch, if nobody else does; False where that did not get done within the timeout."""
        if not self._sending.acquire(timeout=-1 if timeout is None else timeout):
            return False
        try:
            with self._lock:
                batch = [] if self._is_closed else self._store.first(MOST_EVENTS, MOST_BYTES)
                self._in_flight = batch[-1].place if batch else 0
            if batch:
                outcome = deliver(self._client, batch, timeout)
                self._tell(outcome)
                self._settle(outcome)
        except sqlite3.Error as error:  # a full disk: the events are still there, and sent again without harm
            log.warning("waiting events cannot be read or removed: %s", type(error).__name__)
            with self._lock:
                self._rest(None)
        finally:
            self._in_flight = 0
            self._sending.release()
        return True

    def _tell(self, outcome: Outcome) -> None:
        for rejected in outcome.rejected.values():
            if self._on_rejected is None:
                log.warning("the server rejected an event: %s", rejected.code)
                continue
            try:
                self._on_rejected(rejected)
            except Exception as error:  # noqa: BLE001 - the application's own code must not end the sending
                log.error("on_rejected failed with %s", type(error).__qualname__)

    def _settle(self, outcome: Outcome) -> None:
        with self._lock:
            if self._is_closed:
                return  # what is in the file is sent once more the next time, and found to be there
            self._store.remove([*outcome.accepted, *outcome.rejected])
            self._sent += len(outcome.accepted)
            self._rejected += len(outcome.rejected)
            self._error = outcome.error
            if outcome.error is None:
                self._pause, self._paused_until = FIRST_PAUSE, 0.0
            else:
                self._rest(outcome.error.retry_after)

    def _rest(self, asked: float | None) -> None:
        """No further try for a while, longer from time to time; for as long as the server asks in any case."""
        now = time.monotonic()
        self._paused_until = now + self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self._asked_until = now + (asked or 0.0)
        self._pause = min(LONGEST_PAUSE, self._pause * 2)


def _written(value: object) -> object:
    if isinstance(value, datetime):
        return instant_text(value)
    raise ValueError(f"JSON cannot write {type(value).__name__}.")
