"""Taking events in: validated, queued, committed in groups, answered after the commit.

One thread commits whatever is there; while it waits for the disk the next group gathers, so the group grows with
the load and a single event waits for a few milliseconds. Nothing is answered before its commit, so a killed process
owes nobody anything.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Self

from metrics_pipeline.events.committer import Committer, Retry
from metrics_pipeline.events.figures import IngestionFigures
from metrics_pipeline.events.inbox import Inbox, InboxRow, InboxUnavailableError, open_inbox
from metrics_pipeline.events.model import Event, Handover, Refused
from metrics_pipeline.events.results import EventResult
from metrics_pipeline.events.suppression import CODE, DETAIL, Checked, Erased, Suppression
from metrics_pipeline.events.validation import validate
from metrics_pipeline.settings import Settings

Outcome = list[bool] | Retry
# Is told events that were stored, after their commit, each once: it returns at once and never fails.
TellAccepted = Callable[[Sequence[Event]], None]


class Ingestion:
    """The one way in: for HTTP, imports and tests. Close it, or use it with `with`, so that what waits is committed."""

    def __init__(
        self,
        inbox: Inbox,
        settings: Settings,
        suppression: Suppression | None = None,
        tell_accepted: TellAccepted = lambda _: None,
    ) -> None:
        self._inbox = inbox
        self._tell_accepted = tell_accepted
        self._suppression = suppression or Suppression()
        self._lateness = timedelta(days=settings.event_lateness_days)
        self._figures = IngestionFigures()
        self._figures_lock = threading.Lock()
        self._committer = Committer(
            inbox,
            capacity=settings.event_queue_size,
            interval=settings.event_commit_milliseconds / 1000,
            group=settings.event_commit_size,
        )

    @classmethod
    def open(cls, settings: Settings, tell_accepted: TellAccepted = lambda _: None) -> Self:
        """The configured inbox with a running committer; events of erased people are refused.

        Raises:
            InboxUnavailableError: the inbox cannot be opened.
            UserError: the control database cannot be used.
        """
        return cls(open_inbox(settings), settings, Suppression.open(settings), tell_accepted)

    async def submit(
        self,
        workspace_id: str,
        events: Sequence[Mapping[str, object]],
        *,
        sent_at: datetime | None,
        received_at: datetime,
        user_agent: str | None,
    ) -> list[EventResult]:
        """One result per event, in order, once those that are accepted are durable.

        The tenant is the credential's. `sent_at` and `received_at` have an offset. Cancelling gives up the answer,
        not the events.
        """
        return await self.hand_in(Handover(workspace_id, received_at, sent_at, user_agent), events)

    async def hand_in(self, handover: Handover, events: Sequence[object]) -> list[EventResult]:
        """`submit` for callers that say more of where the events come from, such as imports."""
        if not events:
            return []
        if self._suppression.is_stale:
            await asyncio.to_thread(self._suppression.refresh)
        checked = self._checked(handover, events)
        rows = _rows(checked)
        if not rows:
            return self._results(checked, [])
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()

        def settle(outcome: Outcome) -> None:
            self._tell(checked, outcome)
            if not answer.done():  # it is when the caller was cancelled
                answer.set_result(outcome)

        refusal = self._committer.put(rows, settle, loop)
        return self._results(checked, refusal or await answer)

    async def keep(self, *rows: InboxRow) -> Retry | None:
        """Store rows that were checked before, such as attributes of content; None once all of them are durable."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()

        def settle(outcome: Outcome) -> None:
            if not answer.done():
                answer.set_result(outcome)

        outcome = self._committer.put(rows, settle, loop) or await answer
        return outcome if isinstance(outcome, Retry) else None

    def submit_blocking(self, handover: Handover, events: Sequence[object]) -> list[EventResult]:
        """`hand_in` for callers without an event loop; waits for the commit."""
        if not events:
            return []
        if self._suppression.is_stale:
            self._suppression.refresh()
        checked = self._checked(handover, events)
        rows = _rows(checked)
        if not rows:
            return self._results(checked, [])
        done = threading.Event()
        answer: list[Outcome] = []

        def settle(outcome: Outcome) -> None:
            self._tell(checked, outcome)
            answer.append(outcome)
            done.set()

        refusal = self._committer.put(rows, settle, None)
        if refusal is None:
            done.wait()
        return self._results(checked, refusal or answer[0])

    def refuse_erased_now(self) -> None:
        """Ask at once who was erased, instead of within a few seconds."""
        self._suppression.refresh()

    def figures(self) -> IngestionFigures:
        """What came in since the start."""
        with self._figures_lock:
            return self._figures

    @property
    def is_running(self) -> bool:
        """Whether events can be taken; a readiness check asks."""
        return self._committer.is_running

    def check(self) -> None:
        """Whether events can be taken: the committer runs, and the inbox answers.

        Raises:
            InboxUnavailableError: not at present.
        """
        if not self.is_running:
            raise InboxUnavailableError("unusable", "events are not taken any more")
        self._inbox.last_sequence()

    @property
    def queued(self) -> int:
        """Events that wait to be committed."""
        return self._committer.queued

    def close(self) -> None:
        """Take no more events, commit those that wait, close the inbox."""
        self._committer.close()
        self._inbox.close()

    async def aclose(self) -> None:
        """`close` beside a running event loop, which has to hand out the last answers."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tell(self, checked: Sequence[Checked], outcome: Outcome) -> None:
        if not isinstance(outcome, Retry):
            stored = zip([event for event in checked if not isinstance(event, Erased)], outcome, strict=True)
            self._tell_accepted([event for event, taken in stored if taken and isinstance(event, Event)])

    def _checked(self, handover: Handover, events: Sequence[object]) -> list[Checked]:
        return self._suppression.without_erased([validate(event, handover, self._lateness) for event in events])

    def _results(self, checked: Sequence[Checked], outcome: Outcome) -> list[EventResult]:
        """One result per event; `outcome` speaks of those that were handed to the inbox."""
        taken = iter(() if isinstance(outcome, Retry) else outcome)
        results = []
        for event in checked:
            if isinstance(event, Erased):
                results.append(EventResult("rejected", event.event_id, CODE, DETAIL))
            elif isinstance(outcome, Retry):
                results.append(EventResult("retry", event.event_id, outcome.code, outcome.detail))
            else:
                results.append(_result(event, next(taken)))
        with self._figures_lock:
            self._figures = self._figures.with_results(results, sum(e.ignored for e in checked if isinstance(e, Event)))
        return results


def _rows(checked: Sequence[Checked]) -> list[InboxRow]:
    return [InboxRow.of(event) for event in checked if not isinstance(event, Erased)]


def _result(event: Event | Refused, taken: bool) -> EventResult:
    if isinstance(event, Refused):
        return EventResult("rejected", event.event_id, event.code, event.detail, event.pointer)
    return EventResult("accepted" if taken else "duplicate", event.event_id)
