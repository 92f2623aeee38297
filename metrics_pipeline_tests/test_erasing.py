"""A person who asked for it is found nowhere afterwards, and every number that can still go down has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.control.erasures import (
    COMPLETED,
    SWEEPING,
    allow_return,
    get_erasure,
    people_to_erase,
    request_erasure,
)
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.erasing import run_erasures
from metrics_pipeline.events.erasure import Erased, erase, sessions_of
from metrics_pipeline.events.inbox import InboxUnavailableError
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.events.sqlite_inbox import SqliteInbox
from metrics_pipeline.lake import people
from metrics_pipeline.windows import DAY, HOUR, Window
from metrics_pipeline_tests.test_content_flow import Row, Shop, event

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=UTC)
USER, SESSION = "planted-person-7f3a", "planted-session-91cc"
PLANTED = (b"planted-",)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "data")
    add_workspace(shop.at(NOW).control, "Other", "other", now=NOW)
    return shop


def theirs(kind: str, at: datetime, n: int = 0, **more: object) -> Row:
    return {**event(kind, at, session=SESSION, user_id=USER), "event_id": f"planted-event-{kind}-{n}-{at:%d%H}", **more}


def a_life(shop: Shop) -> None:
    """Two people on four days, one of whom is going to be erased; some events refused, one still in the inbox."""
    for day in (10, 9, 1, 0):
        at = NOW - day * DAY
        refused = {**theirs("view_start", at), "progress": "planted-progress", "event_id": f"planted-refused-{day}"}
        with_no_column = {"event_type": "nonsense", "who": {"id": USER}, "session_id": 5}
        before_signing_in = {**event("impression", at, session=SESSION), "event_id": f"planted-anonymous-{day}"}
        shop.send(
            theirs("view_start", at), theirs("view_progress", at + HOUR / 2, progress=0.5, total_watch_time=12.0),
            theirs("like", at + HOUR), refused, with_no_column, before_signing_in,
            event("view_start", at, session="s2", user_id="someone"),
            event("like", at, session="s2", user_id="someone"),
            now=at + HOUR,
        )  # fmt: skip
        flow = shop.process(at + HOUR)
        flow.rebuild_days(Window.of_day(at.date()))
    shop.send(theirs("share", NOW + HOUR, 1), now=NOW + HOUR)


def ask(shop: Shop, user: str = USER, workspace: str = "w", now: datetime = NOW + 2 * HOUR) -> str:
    pipeline = shop.at(now)
    return request_erasure(pipeline.control, pipeline.ring, workspace, user, now=now).erasure_id


def files_with(directory: Path, needles: tuple[bytes, ...] = PLANTED) -> list[str]:
    files = [file for file in directory.rglob("*") if file.is_file()]
    return [str(file) for file in files if any(needle in file.read_bytes() for needle in needles)]


def test_an_erased_person_is_found_in_no_file_and_the_numbers_go_down(shop: Shop, tmp_path: Path) -> None:
    a_life(shop)
    assert len(files_with(tmp_path)) > 5
    assert shop.views() == {"v1": 8}
    erasure_id = ask(shop)
    run = run_erasures(shop.at(NOW + 2 * HOUR))
    assert run.completed == [erasure_id]
    assert files_with(tmp_path) == []
    assert shop.rows("select distinct user_id from events") == [{"user_id": "someone"}]
    assert shop.views() == {"v1": 4}
    assert shop.rows("select sum(views) as v, max(unique_viewers) as u from content_daily") == [{"v": 4, "u": 1}]
    assert shop.rows("select sum(likes) as likes from content_hourly") == [{"likes": 4}]
    assert shop.rows("select unique_viewers from content_metrics") == [{"unique_viewers": 1}]
    assert shop.rows("select count(*) as n from rejected_events") == [{"n": 0}]


def test_the_proof_counts_what_went_and_names_nobody(shop: Shop) -> None:
    a_life(shop)
    erasure_id = ask(shop)
    run_erasures(shop.at(NOW + 2 * HOUR))
    record = get_erasure(shop.at(NOW).control, erasure_id)
    assert record.state == COMPLETED
    assert record.proof["rows_deleted"] == {
        "event_inbox": 1, "events": 16, "rejected_events": 8, "viewer_days": 4, "watch_days": 4,
    }  # fmt: skip
    assert record.proof["sessions"] == 1
    assert record.proof["days_counted_anew"] == [f"2026-03-{day:02}" for day in (7, 8, 9, 16, 17, 18)]
    assert "planted" not in json.dumps(record.summary())


def test_events_of_an_erased_person_are_refused_and_leave_no_trace(shop: Shop, tmp_path: Path) -> None:
    a_life(shop)
    ask(shop)
    run_erasures(shop.at(NOW + 2 * HOUR))
    anonymous = {**event("impression", NOW, session=SESSION), "event_id": "planted-again"}
    bad = {**theirs("view_start", NOW), "progress": "planted"}
    sent = [theirs("view_start", NOW), anonymous, bad, event("like", NOW, session="s3", user_id="someone")]
    assert shop.send(*sent, now=NOW + 3 * HOUR) == ["rejected"] * 3 + ["accepted"]
    shop.process(NOW + 3 * HOUR)
    assert files_with(tmp_path) == []


def test_refusing_begins_with_the_request(shop: Shop) -> None:
    ask(shop)
    assert shop.send(theirs("view_start", NOW)) == ["rejected"]


def test_an_event_that_was_accepted_just_before_does_not_reach_the_lake(shop: Shop) -> None:
    shop.send(theirs("view_start", NOW))
    ask(shop)
    assert shop.flow().drain().erased == 1
    assert shop.rows("select * from events") == []


def test_people_of_the_same_name_elsewhere_stay(shop: Shop) -> None:
    with Ingestion.open(shop.at(NOW).settings) as ingestion:
        ingestion.submit_blocking(Handover("other", received_at=NOW), [theirs("view_start", NOW)])
    shop.send(theirs("view_start", NOW))
    shop.process()
    ask(shop)
    run_erasures(shop.at(NOW + 2 * HOUR))
    assert shop.rows("select distinct workspace_id from events") == [{"workspace_id": "other"}]
    with Ingestion.open(shop.at(NOW).settings) as ingestion:
        [result] = ingestion.submit_blocking(Handover("other", received_at=NOW), [theirs("like", NOW)])
    assert result.status == "accepted"


def test_others_in_the_same_session_stay(shop: Shop) -> None:
    shop.send(theirs("view_start", NOW), event("like", NOW, session=SESSION, user_id="sibling"))
    shop.process()
    ask(shop)
    run_erasures(shop.at(NOW + 2 * HOUR))
    assert shop.rows("select user_id from events") == [{"user_id": "sibling"}]


def test_a_file_of_a_crashed_writer_is_waited_for_and_then_swept(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.send(theirs("view_start", NOW))
    shop.process()
    orphan = tmp_path / "data" / "lake" / "events" / f"date={NOW:%Y-%m-%d}" / "part-00000-never-committed.parquet"
    orphan.write_bytes(PLANTED[0])
    erasure_id = ask(shop)
    assert run_erasures(shop.at(NOW + 2 * HOUR)).forsaken == 1
    assert get_erasure(shop.at(NOW).control, erasure_id).state == SWEEPING
    assert orphan.exists()
    monkeypatch.setattr(people, "ORPHAN_HOURS", 0)
    assert run_erasures(shop.at(NOW + 4 * HOUR)).completed == [erasure_id]
    assert files_with(tmp_path) == []


def test_asking_twice_while_it_waits_is_one_erasure_and_later_another(shop: Shop) -> None:
    first = ask(shop)
    assert ask(shop) == first
    run_erasures(shop.at(NOW + 2 * HOUR))
    second = ask(shop)
    assert second != first
    assert run_erasures(shop.at(NOW + 2 * HOUR)).completed == [second]


def test_a_person_who_returns_is_counted_again_once_allowed(shop: Shop) -> None:
    ask(shop)
    run_erasures(shop.at(NOW + 2 * HOUR))
    pipeline = shop.at(NOW)
    allow_return(pipeline.control, pipeline.ring, "w", USER)
    assert shop.send(theirs("view_start", NOW)) == ["accepted"]


def test_several_people_are_erased_in_one_pass(shop: Shop) -> None:
    for n in range(5):
        shop.send({**theirs("view_start", NOW), "user_id": f"planted-{n}", "event_id": f"e{n}", "session_id": f"s{n}"})
    shop.process()
    ids = {ask(shop, f"planted-{n}") for n in range(4)}
    before = shop.at(NOW).lake.version("events")
    assert set(run_erasures(shop.at(NOW + 2 * HOUR)).completed) == ids
    assert shop.rows("select user_id from events") == [{"user_id": "planted-4"}]
    # one rewritten day; the rest are the two commits of each vacuum
    history = shop.at(NOW).lake.table("events").history(20)
    assert [c["operation"] for c in history if int(c["version"]) > before].count("WRITE") == 1


def test_days_between_those_that_changed_are_left_alone(shop: Shop) -> None:
    for days in (30, 12, 3):
        at = NOW - days * DAY
        mine = [] if days == 12 else [theirs("view_start", at)]
        shop.send(*mine, event("view_start", at, session="s2"), now=at)
        shop.process(at).rebuild_dirty_days()
    ask(shop)
    run = run_erasures(shop.at(NOW + timedelta(hours=2)))
    # with the days before them, in which a view that reaches into them may have begun
    assert run.days == [(NOW - days * DAY).date() for days in (31, 30, 4, 3)]
    assert shop.views() == {"v1": 3}


class Breaking(SqliteInbox):
    """An inbox that stops answering when ids are to be forgotten for the nth time."""

    def __init__(self, path: Path, calls: int) -> None:
        super().__init__(path)
        self._calls = calls

    def forget_ids(self, ids: Sequence[tuple[str, str]]) -> int:
        self._calls -= 1
        if self._calls == 0:
            raise InboxUnavailableError("busy", "away")
        return super().forget_ids(ids)


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_sessions_are_known_as_long_as_anything_of_them_is_left(shop: Shop, calls: int) -> None:
    # signed in on the first day only; the session goes on into the second
    first = NOW - DAY
    shop.send(theirs("view_start", first), now=first)
    shop.process(first)
    shop.send({**event("impression", NOW, session=SESSION), "event_id": "planted-later"})
    shop.process()
    ask(shop)
    pipeline = shop.at(NOW + 2 * HOUR)
    person = people_to_erase(pipeline.control, pipeline.ring)
    with closing(Breaking(pipeline.settings.data_dir / "events.db", calls)) as inbox:
        sessions = sessions_of(pipeline.engine, inbox, person)
        with suppress(InboxUnavailableError):
            erase(pipeline.engine, inbox, person, sessions, Erased())
    run_erasures(pipeline)
    assert shop.rows("select session_id from events") == []
