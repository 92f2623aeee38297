"""Whatever happens to the rows, reading every day once more, in any order, gives exactly what is there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_pipeline_tests.application.conftest import Source
from metrics_pipeline_tests.application.killing import kill_while_reading

DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(6)]
TIMES = ("sent_at", "delivered_at", "read_at", "failed_at", "converted_at")
COLUMNS = ("id", "workspace_id", "status", *TIMES)
Rows = dict[str, dict[str, object]]

moments = st.none() | st.builds(
    lambda day, minute: f"{day} {minute // 60:02}:{minute % 60:02}:00", st.sampled_from(DAYS), st.integers(0, 1439)
)
row = st.fixed_dictionaries({"status": st.sampled_from("abc"), **dict.fromkeys(TIMES, moments)})
write = st.tuples(st.just("write"), st.sampled_from([f"m{n}" for n in range(8)]), st.none() | row)
read = st.tuples(st.just("read"), st.sampled_from(DAYS), st.integers(1, 3))
CREATE = f"create table messages ({', '.join(COLUMNS)})".replace("(id,", "(id text primary key,")
DECLARATION = (
    "tables:\n  messages:\n    key: id\n    day: [sent_at, failed_at]\n"
    f"    changes: [{', '.join(TIMES)}]\n    columns: {{id: string, workspace_id: string, status: string, "
    f"{', '.join(f'{name}: timestamp' for name in TIMES)}}}\n"
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Source:
    directory = tmp_path_factory.mktemp("convergence")
    (directory / "application.db").touch()
    (directory / "tables.yaml").write_text(DECLARATION)
    made = Source(f"sqlite:///{directory / 'application.db'}", directory, directory / "tables.yaml", batch_rows=2)
    made.execute(CREATE)
    return made


def expected(rows: Rows) -> list[dict[str, object]]:
    """The rows that have a day, under their day: straight from what was written."""
    found = []
    for key, values in sorted(rows.items()):
        day = values["sent_at"] or values["failed_at"]
        if day is not None:
            at = {t: datetime.fromisoformat(f"{values[t]}+00:00") if values[t] else None for t in TIMES}
            found.append({"id": key, "date": date.fromisoformat(str(day)[:10]), "status": values["status"], **at})
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(write | read, min_size=4, max_size=12), order=st.permutations(DAYS), repeated=st.sampled_from(DAYS)
)
def test_days_read_in_any_order_with_repeats_converge(
    shared: Source, steps: list[tuple[Any, ...]], order: list[date], repeated: date
) -> None:
    shared.execute("delete from messages")
    shared.lake.delete("app_messages", "true")
    rows: Rows = {}
    now = datetime(2026, 3, 10, tzinfo=UTC)
    for what, subject, more in steps:
        now += timedelta(hours=1)
        if what == "read":
            shared.read("messages", subject, subject + timedelta(days=more), now)
            continue
        shared.execute(f"delete from messages where id = '{subject}'")
        rows.pop(subject, None)
        if more is not None:
            rows[subject] = more
            shared.insert("messages", [{"id": subject, "workspace_id": "w", **more}])

    for day in [repeated, *order, repeated]:
        shared.read("messages", day, now=now)

    assert shared.rows("app_messages", f"id, date, status, {', '.join(TIMES)}") == expected(rows)
    version = shared.lake.version("app_messages")
    assert shared.read("messages", DAYS[0], DAYS[-1] + timedelta(days=1), now).changed == ()
    assert shared.lake.version("app_messages") == version


def test_a_reader_that_is_killed_leaves_whole_days_and_the_next_one_ends_the_work(tmp_path: Path) -> None:
    clean, killed = (kill_while_reading(tmp_path / name, kills) for name, kills in (("clean", 0), ("killed", 2)))
    columns = "id, date, workspace_id, sent_at, read_at, status"
    assert killed.rows("app_messages", columns) == clean.rows("app_messages", columns)
    assert len(clean.rows("app_messages", "id")) > 1_000
