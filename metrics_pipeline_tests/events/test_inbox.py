"""Both inboxes keep the same promises."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from pydantic import SecretStr

from metrics_pipeline.errors import UserError
from metrics_pipeline.events.inbox import Inbox, InboxRow, InboxUnavailableError, open_inbox
from metrics_pipeline.events.postgres_inbox import PostgresInbox
from metrics_pipeline.events.sqlite_inbox import SqliteInbox
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.events.samples import NOW, checked, like, row
from metrics_pipeline_tests.proofs.writers import SPAWN, together

REJECTED = InboxRow.of(checked(like("bad", eventType="liked")))


def payloads(inbox: Inbox) -> list[str]:
    return [stored.payload for stored in inbox.peek(1_000_000)]


def test_rows_come_back_in_the_order_they_came(inbox: Inbox) -> None:
    rows = [row(f"e{n}") for n in range(3000)]
    assert inbox.append(rows[:1]) == [True]
    assert inbox.append(rows[1:]) == [True] * 2999
    assert payloads(inbox) == [r.payload for r in rows]
    first = inbox.peek(10)
    assert [r.payload for r in inbox.peek(10, after=first[-1].sequence)] == [r.payload for r in rows[10:20]]


def test_an_id_is_taken_once_per_workspace(inbox: Inbox) -> None:
    assert inbox.append([row("a"), row("b"), row("a"), row("a", "other")]) == [True, True, False, True]
    assert inbox.append([row("b"), row("c"), row("c"), row("a", "other")]) == [False, True, False, False]
    assert len(payloads(inbox)) == 4


def test_refused_events_claim_nothing(inbox: Inbox) -> None:
    assert inbox.append([REJECTED, REJECTED, row("bad")]) == [True, True, True]
    assert [stored.kind for stored in inbox.peek(9)] == ["rejected", "rejected", "accepted"]


def test_an_empty_append_is_one(inbox: Inbox) -> None:
    assert inbox.append([]) == []
    assert inbox.peek(1) == []


def test_sequences_go_on_when_the_inbox_was_emptied(inbox: Inbox) -> None:
    inbox.append([row("a"), row("b")])
    last = inbox.peek(9)[-1].sequence
    assert inbox.delete_through(last) == 2
    inbox.append([row("c")])
    assert inbox.peek(9)[0].sequence > last
    assert inbox.delete_through(last) == 0


def test_ids_stay_claimed_after_the_rows_are_gone_until_they_are_forgotten(inbox: Inbox) -> None:
    yesterday = NOW - timedelta(days=1)
    inbox.append([row("old", received_at=yesterday), row("new")])
    inbox.delete_through(inbox.peek(9)[-1].sequence)
    assert inbox.append([row("old"), row("new")]) == [False, False]
    assert inbox.forget_seen(NOW.date()) == 1
    assert inbox.append([row("old"), row("new")]) == [True, False]


def test_forgetting_goes_through_all_ids(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics_pipeline.events.sqlite_inbox.FORGET_SLICE", 7)
    old = [row(f"old{n}", f"w{n % 3}", NOW - timedelta(days=9)) for n in range(50)]
    inbox.append([*old, *(row(f"new{n}") for n in range(20))])
    assert inbox.forget_seen(NOW.date()) == 50
    assert inbox.forget_seen(NOW.date()) == 0


def test_deleting_goes_through_all_rows(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics_pipeline.events.sqlite_inbox.DELETE_SLICE", 7)
    inbox.append([row(f"e{n}") for n in range(50)])
    rows = inbox.peek(50)
    assert inbox.delete_through(rows[29].sequence) == 30
    assert [r.sequence for r in inbox.peek(50)] == [r.sequence for r in rows[30:]]


def test_the_backlog_is_told(inbox: Inbox) -> None:
    assert (inbox.backlog().rows, inbox.backlog().oldest_received_at) == (0, None)
    inbox.append([row("a"), row("b", received_at=NOW + timedelta(hours=1))])
    assert (inbox.backlog().rows, inbox.backlog().oldest_received_at) == (2, NOW)


def test_it_is_the_same_inbox_when_opened_again(either: Settings) -> None:
    first, second = open_inbox(either), open_inbox(either)
    assert first.uuid == second.uuid
    first.append([row("a")])
    assert second.append([row("a"), row("b")]) == [False, True]
    assert payloads(first) == payloads(second)
    first.close()
    second.close()


def test_two_threads_on_two_connections_claim_each_id_once(either: Settings) -> None:
    """The same ids in other orders: nobody waits for ever for the other, and nobody fails."""
    inboxes = [open_inbox(either), open_inbox(either)]
    orders = [range(200), range(199, -1, -1)]

    def work(place: int) -> int:
        taken = 0
        for start in range(0, 200, 10):
            taken += sum(inboxes[place].append([row(f"e{n}") for n in orders[place][start : start + 10]]))
        return taken

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, (0, 1))) == 200
    sequences = [stored.sequence for stored in inboxes[0].peek(999)]
    assert len(sequences) == 200
    for inbox in inboxes:
        inbox.close()


def open_and_append(directory: str, name: str, barrier: Barrier) -> dict[str, int]:
    barrier.wait()
    inbox = SqliteInbox(Path(directory) / "events.db")
    return {"taken": sum(inbox.append([row(f"{name}-{n}") for n in range(10)]))}


def test_several_processes_may_make_it_at_once(tmp_path: Path) -> None:
    barrier = SPAWN.Barrier(3)
    work = [(name, open_and_append, (str(tmp_path), name, barrier)) for name in "abc"]
    found = together(*work)
    assert [found[name]["taken"] for name in "abc"] == [10] * 3


def test_a_commit_is_on_the_disk_before_it_is_told(tmp_path: Path) -> None:
    inbox = SqliteInbox(tmp_path / "events.db")
    found = [inbox._connection.execute(f"pragma {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


def test_a_locked_file_is_told_as_busy(tmp_path: Path) -> None:
    inbox = SqliteInbox(tmp_path / "events.db", busy_timeout=0.05)
    other = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(InboxUnavailableError) as told:
        inbox.append([row("a")])
    assert told.value.reason == "busy"
    other.execute("rollback")
    assert inbox.append([row("a")]) == [True]


def test_a_file_that_may_not_grow_is_told_as_full_and_keeps_nothing_of_the_batch(tmp_path: Path) -> None:
    inbox = SqliteInbox(tmp_path / "events.db")
    inbox.append([row("before")])
    pages = inbox._connection.execute("pragma page_count").fetchone()[0]
    inbox._connection.execute(f"pragma max_page_count = {pages + 4}")
    batch = [row(f"e{n}") for n in range(500)]
    with pytest.raises(InboxUnavailableError) as told:
        inbox.append(batch)
    assert told.value.reason == "disk_full"
    assert len(payloads(inbox)) == 1
    inbox._connection.execute("pragma max_page_count = 1000000")
    assert inbox.append(batch) == [True] * 500


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InboxUnavailableError, match="cannot be used"):
        SqliteInbox(tmp_path / "file" / "events.db")


def test_a_postgres_connection_that_broke_is_made_anew(postgres_url: Callable[[], str]) -> None:
    import psycopg

    url = postgres_url()
    inbox = PostgresInbox(url)
    inbox.append([row("a")])
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() "
            "and datname = current_database()"
        )
    with pytest.raises(InboxUnavailableError) as told:
        inbox.append([row("b")])
    assert told.value.reason == "unreachable"
    assert inbox.append([row("a"), row("b")]) == [False, True]
    inbox.close()


def test_a_postgres_commit_is_on_the_disk_before_it_is_told(postgres_url: Callable[[], str]) -> None:
    """Although this server's own setting says otherwise."""
    inbox = PostgresInbox(postgres_url())
    found = inbox._connected().execute("show synchronous_commit").fetchone()
    assert found == ("on",)
    inbox.close()


def test_a_url_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="METRICS_DATABASE_URL"):
        open_inbox(Settings(data_dir=tmp_path, database_url=SecretStr("no url at all")))
    with pytest.raises(InboxUnavailableError):
        open_inbox(Settings(data_dir=tmp_path, database_url=SecretStr("postgresql://u:secret@127.0.0.1:1/x")))


def test_single_rows_and_ids_can_be_taken_out(inbox: Inbox) -> None:
    inbox.append([row("a"), row("b"), row("c"), row("a", "other")])
    stored = inbox.peek(9)
    assert inbox.remove([stored[1].sequence, 99]) == 1
    assert inbox.remove([]) == 0
    assert [s.sequence for s in inbox.peek(9)] == [stored[0].sequence, stored[2].sequence, stored[3].sequence]
    assert inbox.forget_ids([("acme", "b"), ("acme", "never")]) == 1
    assert inbox.forget_ids([]) == 0
    inbox.scrub()
    assert inbox.append([row("a"), row("b"), row("a", "other")]) == [False, True, False]


def test_deleted_rows_cannot_be_read_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with closing(SqliteInbox(path)) as inbox:
        inbox.append([row(f"planted-{n}") for n in range(20_000)])
        inbox.delete_through(10_000)
        inbox.remove(range(10_001, 20_001))
        inbox.forget_ids([("acme", f"planted-{n}") for n in range(20_000)])
        inbox.scrub()
        assert not [file for file in tmp_path.iterdir() if b"planted" in file.read_bytes()]
