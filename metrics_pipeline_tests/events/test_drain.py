"""From the inbox to the lake: every accepted event once, whoever fails or repeats what."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from metrics_pipeline.events.dirty import dirty_since
from metrics_pipeline.events.drain import drain, forget_ids
from metrics_pipeline.events.inbox import Inbox, InboxUnavailableError, open_inbox
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.sqlite_inbox import SqliteInbox
from metrics_pipeline.lake.event_tables import CONTENT
from metrics_pipeline.lake.lake import Addition, Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.events.samples import NOW, Sent, handover, ids, like, row, statuses, stored

CHUNK = 1000


def at(hours_ago: float, event_id: str, **fields: object) -> Sent:
    return like(event_id, timestamp=(NOW - timedelta(hours=hours_ago)).isoformat(), **fields)


def test_events_arrive_in_the_partition_of_their_day_with_all_they_say(
    ingestion: Ingestion, inbox: Inbox, lake: Lake
) -> None:
    ingestion.submit_blocking(
        handover(), [at(1, "a", userId="u1", progress=0.5), at(20, "b"), like("c", eventType="no")]
    )
    figures = drain(inbox, lake, chunk=CHUNK)
    assert (figures.rows, figures.rejected, figures.duplicates, figures.commits) == (2, 1, 0, 2)
    columns = "event_id, date, event_ts, user_id, progress, workspace_id, origin, is_bot, sequence"
    first, second = stored(lake, columns)
    assert first == {
        "event_id": "a",
        "date": date(2026, 3, 10),
        "event_ts": NOW - timedelta(hours=1),
        "user_id": "u1",
        "progress": 0.5,
        "workspace_id": "acme",
        "origin": "api",
        "is_bot": False,
        "sequence": 1,
    }
    assert (second["date"], second["user_id"], second["sequence"]) == (date(2026, 3, 9), None, 2)
    [refused] = stored(lake, table="rejected_events")
    assert (refused["event_id"], refused["code"], refused["pointer"]) == ("c", "unknown_type", "/eventType")
    assert (refused["date"], refused["received_at"], refused["sequence"]) == (NOW.date(), NOW, 3)
    assert inbox.backlog().rows == 0


def test_an_empty_inbox_writes_nothing(inbox: Inbox, lake: Lake) -> None:
    before = lake.version("events")
    assert drain(inbox, lake, chunk=CHUNK).commits == 0
    assert lake.version("events") == before


def test_what_is_there_goes_in_pieces(inbox: Inbox, lake: Lake) -> None:
    inbox.append([row(f"e{n:02}") for n in range(50)])
    figures = drain(inbox, lake, chunk=7)
    assert (figures.rows, figures.commits) == (50, 8)
    assert ids(lake) == [f"e{n:02}" for n in range(50)]


def test_duplicates_are_one_in_a_batch_across_batches_and_after_the_drain(
    ingestion: Ingestion, inbox: Inbox, lake: Lake
) -> None:
    ingestion.submit_blocking(handover(), [like("a"), like("a")])
    ingestion.submit_blocking(handover(), [like("a")])
    drain(inbox, lake, chunk=CHUNK)
    assert statuses(ingestion.submit_blocking(handover(), [like("a")])) == ["duplicate"]
    drain(inbox, lake, chunk=CHUNK)
    assert ids(lake) == ["a"]


def test_ids_the_lake_holds_are_left_out_on_the_days_around(ingestion: Ingestion, inbox: Inbox, lake: Lake) -> None:
    """As after an import, or when the inbox's own memory of ids was lost."""
    ingestion.submit_blocking(handover(), [at(1, "a"), at(1, "b")])
    ingestion.submit_blocking(handover("other"), [at(1, "c")])
    drain(inbox, lake, chunk=CHUNK)
    inbox.forget_seen(date(2027, 1, 1))
    again = [at(1, "a"), at(25, "b"), at(1, "c"), at(1, "new")]
    assert set(statuses(ingestion.submit_blocking(handover(), again))) == {"accepted"}
    figures = drain(inbox, lake, chunk=CHUNK)
    assert (figures.rows, figures.duplicates) == (2, 2)
    found = [(r["workspace_id"], r["event_id"]) for r in stored(lake, "workspace_id, event_id")]
    assert found == [("acme", "a"), ("acme", "b"), ("acme", "c"), ("acme", "new"), ("other", "c")]
    assert inbox.backlog().rows == 0


def test_an_id_that_waits_twice_is_stored_once(inbox: Inbox, lake: Lake) -> None:
    inbox.append([row("a")])
    inbox.forget_seen(date(2027, 1, 1))
    inbox.append([row("a"), row("b")])
    figures = drain(inbox, lake, chunk=CHUNK)
    assert (figures.rows, figures.duplicates) == (2, 1)
    assert ids(lake) == ["a", "b"]


def test_ids_are_remembered_a_day_longer_than_events_may_be_late(inbox: Inbox) -> None:
    inbox.append([row("kept", received_at=NOW - timedelta(days=8)), row("old", received_at=NOW - timedelta(days=9))])
    assert forget_ids(inbox, NOW.date(), lateness_days=7) == 1
    assert inbox.append([row("kept"), row("old")]) == [False, True]


def test_a_missing_creator_comes_from_the_content(ingestion: Ingestion, inbox: Inbox, lake: Lake) -> None:
    attributes = {"workspace_id": ["acme", "other"], "content_id": ["c1", "c2"], "creator_id": ["k1", "k2"]}
    arrays = [pa.array(attributes.get(f.name, [None, None]), f.type) for f in CONTENT.schema]
    lake.append("content", pa.Table.from_arrays(arrays, schema=CONTENT.schema))
    events = [like("a"), like("b", creatorId="k9"), like("c", contentId="c2")]
    ingestion.submit_blocking(handover(), events)
    drain(inbox, lake, chunk=CHUNK)
    assert [r["creator_id"] for r in stored(lake, "event_id, creator_id")] == ["k1", "k9", None]


def test_the_hours_touched_are_told_and_kept_in_the_commits(ingestion: Ingestion, inbox: Inbox, lake: Lake) -> None:
    start = lake.version("events")
    ingestion.submit_blocking(handover(), [at(0, "a"), at(0.1, "b"), at(13, "c")])
    figures = drain(inbox, lake, chunk=CHUNK)
    expected = {(date(2026, 3, 10), 12), (date(2026, 3, 10), 11), (date(2026, 3, 9), 23)}
    assert figures.dirty_hours == expected
    assert figures.dates == [date(2026, 3, 9), date(2026, 3, 10)]
    middle = lake.version("events")
    ingestion.submit_blocking(handover(), [at(2, "d")])
    drain(inbox, lake, chunk=CHUNK)
    lake.table("events").optimize.compact()
    assert dirty_since(lake.table("events"), start) == frozenset({*expected, (date(2026, 3, 10), 10)})
    assert dirty_since(lake.table("events"), middle) == frozenset({(date(2026, 3, 10), 10)})
    assert dirty_since(lake.table("events"), lake.version("events")) == frozenset()


class StopsBeforeDeleting(SqliteInbox):
    def delete_through(self, sequence: int) -> int:
        raise InboxUnavailableError("unreachable", "stopped here")


def test_a_stop_between_append_and_delete_doubles_nothing(settings: Settings, lake: Lake) -> None:
    inbox = StopsBeforeDeleting(settings.data_dir / "events.db")
    inbox.append([row("a"), row("b")])
    with pytest.raises(InboxUnavailableError):
        drain(inbox, lake, chunk=CHUNK)
    after = SqliteInbox(settings.data_dir / "events.db")
    after.append([row("c")])
    figures = drain(after, lake, chunk=CHUNK)
    assert (figures.rows, figures.duplicates) == (1, 0)
    assert ids(lake) == ["a", "b", "c"]
    assert after.backlog().rows == 0


class StopsBetweenTables(Lake):
    def append_following(
        self, name: str, app_id: str, version: int, produce: Callable[[DeltaTable, int], Addition | None]
    ) -> int | None:
        if name == "rejected_events":
            raise KeyboardInterrupt
        return super().append_following(name, app_id, version, produce)


def test_a_stop_between_the_two_tables_loses_and_doubles_nothing(
    ingestion: Ingestion, inbox: Inbox, lake: Lake
) -> None:
    ingestion.submit_blocking(handover(), [like("a"), {}, like("b")])
    with pytest.raises(KeyboardInterrupt):
        drain(inbox, StopsBetweenTables(lake.location), chunk=CHUNK)
    assert ids(lake) == ["a", "b"]
    figures = drain(inbox, lake, chunk=CHUNK)
    assert (figures.rows, figures.rejected) == (0, 1)
    assert ids(lake) == ["a", "b"]
    assert len(stored(lake, table="rejected_events")) == 1


def test_two_drains_at_once_store_each_event_once(either: Settings, lake: Lake) -> None:
    """They see different stretches of the same inbox: more comes in while they work."""
    ends = [open_inbox(either), open_inbox(either)]
    total = 0
    with ThreadPoolExecutor(2) as pool:
        for number in range(6):
            ends[0].append([row(f"{number}-{n}") for n in range(40)])
            works = [pool.submit(drain, ends[place], lake, chunk=25 + 8 * place) for place in (0, 1)]
            ends[0].append([row(f"{number}-late-{n}") for n in range(20)])
            total += sum(work.result().rows for work in works)
    total += drain(ends[0], lake, chunk=CHUNK).rows
    found = ids(lake)
    assert total == len(found) == len(set(found)) == 6 * 60
    assert ends[1].backlog().rows == 0
    for end in ends:
        end.close()


def test_the_place_in_the_inbox_outlives_checkpoints_and_cleaned_logs(settings: Settings, lake: Lake) -> None:
    inbox = StopsBeforeDeleting(settings.data_dir / "events.db")
    inbox.append([row("a")])
    with pytest.raises(InboxUnavailableError):
        drain(inbox, lake, chunk=CHUNK)
    lake.table("events").create_checkpoint()
    lake.table("events").cleanup_metadata()
    drain(SqliteInbox(settings.data_dir / "events.db"), lake, chunk=CHUNK)
    assert ids(lake) == ["a"]


def test_an_inbox_that_was_made_anew_starts_over(settings: Settings, lake: Lake) -> None:
    """Its sequences are those of another inbox."""
    for event_id in ("a", "b"):
        inbox = SqliteInbox(settings.data_dir / "events.db")
        inbox.append([row(event_id)])
        drain(inbox, lake, chunk=CHUNK)
        inbox.close()
        for file in Path(settings.data_dir).glob("events.db*"):
            file.unlink()
    assert ids(lake) == ["a", "b"]


def test_an_inbox_put_back_from_an_older_copy_loses_nothing(settings: Settings, lake: Lake) -> None:
    """Its next sequences were given out before: the lake is asked by id, not by number."""
    path = settings.data_dir / "events.db"
    inbox = SqliteInbox(path)
    inbox.append([row("a")])
    inbox.close()
    copy = path.read_bytes()
    inbox = SqliteInbox(path)
    inbox.append([row("b"), row("c")])
    drain(inbox, lake, chunk=CHUNK)
    inbox.close()
    path.write_bytes(copy)
    inbox = SqliteInbox(path)
    inbox.append([row("d")])
    figures = drain(inbox, lake, chunk=CHUNK)
    assert (figures.rows, figures.duplicates) == (1, 1)
    assert ids(lake) == ["a", "b", "c", "d"]


def test_old_and_new_events_of_one_drain_go_to_their_days(ingestion: Ingestion, inbox: Inbox, lake: Lake) -> None:
    ingestion.submit_blocking(handover(), [at(24 * days, f"e{days}") for days in range(7)])
    figures = drain(inbox, lake, chunk=CHUNK)
    assert figures.dates == [datetime(2026, 3, day, tzinfo=UTC).date() for day in range(4, 11)]
    assert figures.commits == 1
