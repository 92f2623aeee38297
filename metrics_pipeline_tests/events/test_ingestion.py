"""The way in: results only after the commit, groups, limits, an end that loses nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from metrics_pipeline.events.inbox import Inbox, InboxRow, InboxUnavailableError, open_inbox
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.results import EventResult
from metrics_pipeline.events.sqlite_inbox import SqliteInbox
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.events.samples import NOW, handover, like, statuses


async def submit(ingestion: Ingestion, *events: dict[str, object]) -> list[EventResult]:
    return await ingestion.submit("acme", events, sent_at=None, received_at=NOW, user_agent=None)


def waiting(settings: Settings) -> int:
    inbox = open_inbox(settings)
    try:
        return inbox.backlog().rows
    finally:
        inbox.close()


def test_each_event_has_its_result_in_order(ingestion: Ingestion, either: Settings) -> None:
    results = asyncio.run(submit(ingestion, like("a"), like("b", eventType="liked"), like("a"), like()))
    assert statuses(results) == ["accepted", "rejected", "duplicate", "accepted"]
    assert [result.event_id for result in results[:3]] == ["a", "b", "a"]
    assert (results[1].code, results[1].pointer) == ("unknown_type", "/eventType")
    assert results[3].event_id
    assert waiting(either) == 3
    figures = ingestion.figures()
    assert (figures.accepted, figures.rejected, figures.duplicate, figures.retry) == (2, 1, 1, 0)


def test_the_blocking_call_does_the_same(ingestion: Ingestion, either: Settings) -> None:
    results = ingestion.submit_blocking(handover(), [like("a"), like("a"), {}])
    assert statuses(results) == ["accepted", "duplicate", "rejected"]
    assert statuses(ingestion.submit_blocking(handover(), [like("a")])) == ["duplicate"]
    assert waiting(either) == 2
    assert ingestion.submit_blocking(handover(), []) == []
    assert asyncio.run(submit(ingestion)) == []


def test_an_accepted_event_can_be_read_by_another_process_at_once(ingestion: Ingestion, either: Settings) -> None:
    for number in range(20):
        ingestion.submit_blocking(handover(), [like(f"e{number}")])
        assert waiting(either) == number + 1


def test_many_callers_share_commits(settings: Settings) -> None:
    settings = settings.model_copy(update={"event_commit_milliseconds": 20})
    inbox = Counting(settings.data_dir / "events.db")

    async def all_at_once(ingestion: Ingestion) -> list[list[EventResult]]:
        return await asyncio.gather(*(submit(ingestion, like(f"e{n}")) for n in range(300)))

    with Ingestion(inbox, settings) as ingestion:
        results = asyncio.run(all_at_once(ingestion))
    assert {result.status for one in results for result in one} == {"accepted"}
    assert inbox.commits < 10


class Counting(SqliteInbox):
    """Counts its commits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.commits = 0

    def append(self, rows: Sequence[InboxRow]) -> list[bool]:
        self.commits += 1
        return super().append(rows)


class Held(SqliteInbox):
    """Commits only while it is let go: a disk that takes its time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.let_go = threading.Event()

    def append(self, rows: Sequence[InboxRow]) -> list[bool]:
        assert self.let_go.wait(30)
        return super().append(rows)


def test_nothing_is_answered_before_its_commit_and_a_full_queue_says_so(settings: Settings) -> None:
    settings = settings.model_copy(update={"event_queue_size": 10, "event_commit_milliseconds": 0})
    inbox = Held(settings.data_dir / "events.db")

    async def run(ingestion: Ingestion) -> None:
        first = asyncio.create_task(submit(ingestion, like("first")))
        while ingestion.queued or not first:  # until the committer has taken it
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        queued = asyncio.create_task(submit(ingestion, *(like(f"e{n}") for n in range(10))))
        await asyncio.sleep(0.02)
        refused = await submit(ingestion, like("one too many"))
        assert statuses(refused) == ["retry"]
        assert refused[0].code == "queue_full"
        assert not first.done()
        assert not queued.done()
        inbox.let_go.set()
        assert statuses(await first) == ["accepted"]
        assert statuses(await queued) == ["accepted"] * 10
        assert statuses(await submit(ingestion, like("one too many"))) == ["accepted"]

    with Ingestion(inbox, settings) as ingestion:
        asyncio.run(run(ingestion))
    assert waiting(settings) == 12


def test_a_hand_over_larger_than_the_queue_is_taken_when_nothing_else_waits(settings: Settings) -> None:
    with Ingestion.open(settings.model_copy(update={"event_queue_size": 5})) as ingestion:
        results = ingestion.submit_blocking(handover(), [like(f"e{n}") for n in range(50)])
    assert set(statuses(results)) == {"accepted"}


def test_the_end_commits_what_waits_and_takes_no_more(settings: Settings) -> None:
    settings = settings.model_copy(update={"event_commit_milliseconds": 1000})

    async def run() -> None:
        ingestion = Ingestion.open(settings)
        answers = [asyncio.create_task(submit(ingestion, like(f"e{n}"))) for n in range(50)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        await ingestion.aclose()
        assert time.monotonic() - begun < 0.9, "the end does not wait for a group to fill"
        assert {status for answer in answers for status in statuses(await answer)} == {"accepted"}
        late = await submit(ingestion, like("late"))
        assert (late[0].status, late[0].code) == ("retry", "stopping")
        assert not ingestion.is_running

    asyncio.run(run())
    assert waiting(settings) == 50


def test_a_caller_that_went_away_disturbs_nobody(settings: Settings) -> None:
    async def run(ingestion: Ingestion) -> None:
        gone = asyncio.create_task(submit(ingestion, like("gone")))
        stays = asyncio.create_task(submit(ingestion, like("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        assert statuses(await stays) == ["accepted"]

    with Ingestion.open(settings) as ingestion:
        asyncio.run(run(ingestion))
        # nor does an event loop that is gone
        assert statuses(ingestion.submit_blocking(handover(), [like("later")])) == ["accepted"]
    assert waiting(settings) == 3


def test_a_full_disk_is_a_retry_that_keeps_nothing_and_the_repeat_counts_once(settings: Settings) -> None:
    inbox = SqliteInbox(settings.data_dir / "events.db")
    batch = [like(f"e{n}") for n in range(300)]
    with Ingestion(inbox, settings) as ingestion:
        ingestion.submit_blocking(handover(), [like("before")])
        pages = inbox._connection.execute("pragma page_count").fetchone()[0]
        inbox._connection.execute(f"pragma max_page_count = {pages + 4}")
        failed = ingestion.submit_blocking(handover(), batch)
        assert {(result.status, result.code) for result in failed} == {("retry", "inbox_disk_full")}
        assert [result.event_id for result in failed] == [event["eventId"] for event in batch]
        inbox._connection.execute("pragma max_page_count = 1000000")
        assert set(statuses(ingestion.submit_blocking(handover(), batch))) == {"accepted"}
        assert set(statuses(ingestion.submit_blocking(handover(), batch))) == {"duplicate"}
    assert waiting(settings) == 301


def test_a_locked_inbox_is_a_retry(settings: Settings) -> None:
    inbox = SqliteInbox(settings.data_dir / "events.db", busy_timeout=0.05)
    other = sqlite3.connect(settings.data_dir / "events.db", isolation_level=None)
    with Ingestion(inbox, settings) as ingestion:
        other.execute("begin immediate")
        assert ingestion.submit_blocking(handover(), [like("a")])[0].code == "inbox_busy"
        other.execute("rollback")
        assert statuses(ingestion.submit_blocking(handover(), [like("a")])) == ["accepted"]


class Broken(SqliteInbox):
    """Fails in a way nobody thought of."""

    def append(self, rows: Sequence[InboxRow]) -> list[bool]:
        raise ZeroDivisionError


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_committer_that_died(settings: Settings) -> None:
    with Ingestion(Broken(settings.data_dir / "events.db"), settings) as ingestion:
        assert ingestion.submit_blocking(handover(), [like("a")])[0].code == "unavailable"
        assert ingestion.submit_blocking(handover(), [like("b")])[0].status == "retry"
        assert not ingestion.is_running


class Flaky(SqliteInbox):
    """Every second commit is done and then not told, as when a connection breaks."""

    appends = 0

    def append(self, rows: Sequence[InboxRow]) -> list[bool]:
        taken = super().append(rows)
        self.appends += 1
        if self.appends % 2:
            raise InboxUnavailableError("unreachable", "gone")
        return taken


def test_an_event_whose_answer_was_lost_counts_once_when_repeated(settings: Settings) -> None:
    with Ingestion(Flaky(settings.data_dir / "events.db"), settings) as ingestion:
        assert statuses(ingestion.submit_blocking(handover(), [like("a")])) == ["retry"]
        assert statuses(ingestion.submit_blocking(handover(), [like("a")])) == ["duplicate"]
    assert waiting(settings) == 1


def test_the_tenant_is_the_callers_whatever_the_event_says(ingestion: Ingestion, either: Settings) -> None:
    ingestion.submit_blocking(handover("acme"), [like("a", workspace_id="other")])
    assert statuses(ingestion.submit_blocking(handover("other"), [like("a")])) == ["accepted"]


def test_the_lateness_window_is_a_setting(settings: Settings) -> None:
    old = like(timestamp=(NOW - timedelta(days=9)).isoformat())
    with Ingestion.open(settings.model_copy(update={"event_lateness_days": 10})) as ingestion:
        assert statuses(ingestion.submit_blocking(handover(), [old])) == ["accepted"]
    with Ingestion.open(settings) as ingestion:
        assert ingestion.submit_blocking(handover(), [old])[0].code == "too_old"
        assert statuses(ingestion.submit_blocking(replace(handover(), take_old=True), [old])) == ["accepted"]


def test_an_inbox_is_the_protocol(inbox: Inbox) -> None:
    assert len(inbox.uuid) == 36
