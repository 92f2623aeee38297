"""The sample application database: grows without contradicting itself, and looks like one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline.sandbox.application import TABLES, grow

UNTIL = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)
Rows = dict[str, list[tuple[object, ...]]]


def contents(file: Path) -> Rows:
    with closing(sqlite3.connect(file)) as connection:
        return {t: sorted(connection.execute(f"select * from {t}").fetchall(), key=repr) for t in TABLES}


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sample") / "application.db"
    grow(file, UNTIL, days=7, seed=7)
    return file


def test_written_in_steps_it_is_what_it_is_written_at_once(week: Path, tmp_path: Path) -> None:
    file = tmp_path / "steps.db"
    grow(file, UNTIL - timedelta(days=2, hours=5), days=5, seed=7)
    for at in (UNTIL - timedelta(hours=1), UNTIL, UNTIL):
        grow(file, at, days=99, seed=7)
    assert contents(file) == contents(week)


def test_it_is_as_large_and_as_mixed_as_a_real_one(week: Path) -> None:
    with closing(sqlite3.connect(week)) as connection:

        def one(statement: str) -> float:
            return float(connection.execute(statement).fetchone()[0])

        for workspace in ("acme", "bistro", "cinema"):
            a_day = one(f"select count(*) / 6.65 from messages where workspace_id = '{workspace}'")
            assert 250 < a_day < 600
        assert one("select count(distinct account_id) from messages where workspace_id = 'acme'") == 2
        assert one("select count(distinct status) from messages") >= 5
        assert one("select count(*) from messages where converted_at is not null") > 5
        assert one("select count(*) from campaigns") >= 3
        assert one("select count(*) from contacts where blocked_at is not null") > 5
        assert one("select count(*) from conversations where closed_at is null") > 50
        assert (
            one(
                "select max(n) from (select count(*) as n from messages where direction = 'inbound' group by "
                "conversation_id)"
            )
            >= 4
        )
        unanswered = (
            "select count(*) from (select max(case direction when 'inbound' then sent_at end) as i, "
            "max(case direction when 'outbound' then sent_at end) as o from messages group by conversation_id) "
            "where i > coalesce(o, '')"
        )
        assert one(unanswered) > 20
        assert one("select count(distinct industry) from licences") == 5
        assert one("select count(*) from licences where renewed") > 5
        assert one("select count(*) from assets") == 6 * 24


def test_nothing_is_known_before_it_happens(week: Path) -> None:
    now = f"{UNTIL:%Y-%m-%d %H:%M:%S}"
    columns = {
        "messages": ("sent_at", "delivered_at", "read_at", "failed_at", "converted_at"),
        "campaigns": ("started_at", "completed_at"),
        "contacts": ("created_at", "blocked_at"),
        "conversations": ("opened_at", "closed_at"),
        "orders": ("created_at",),
    }
    with closing(sqlite3.connect(week)) as connection:
        for table, times in columns.items():
            for name in times:
                assert connection.execute(f"select max({name}) from {table}").fetchone()[0] <= now
        broken = (
            "select count(*) from messages where delivered_at < sent_at or read_at < delivered_at or "
            "converted_at < read_at or (read_at is not null and delivered_at is null)"
        )
        assert connection.execute(broken).fetchone()[0] == 0
        orphans = "select count(*) from messages where conversation_id not in (select id from conversations)"
        assert connection.execute(orphans).fetchone()[0] == 0
        strangers = "select count(*) from messages where contact_id not in (select id from contacts)"
        assert connection.execute(strangers).fetchone()[0] == 0


def test_another_seed_and_an_earlier_instant_are_refused(week: Path) -> None:
    with pytest.raises(UserError, match="was made with seed 7"):
        grow(week, UNTIL, days=7, seed=8)
    with pytest.raises(UserError, match="time only goes on"):
        grow(week, UNTIL - timedelta(hours=1), days=7, seed=7)
