"""Events from files: the same door, the same checks; twice changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control.imports import list_imports
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.events import import_events
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=UTC)
ROWS: list[dict[str, object]] = [
    {"event_type": "view_start", "content_id": "v1", "session_id": "s1", "client_ts": "2026-03-17T10:00:00Z"},
    {
        "event_type": "view_progress", "content_id": "v1", "session_id": "s1", "client_ts": "2026-03-17T10:01:00Z",
        "total_watch_time": 60.0, "progress": 0.9, "is_rewatch": False, "loop_count": 1,
    },
    {"event_type": "like", "content_id": "v1", "session_id": "s1", "client_ts": "2026-03-17T10:02:00Z"},
]  # fmt: skip


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    made = Pipeline(load_settings(data_dir=tmp_path / "data", now=NOW))
    add_workspace(made.control, "W", "w", now=NOW)
    return made


def written(folder: Path, suffix: str, rows: list[dict[str, object]]) -> Path:
    path = folder / f"events.{suffix}"
    if suffix == "ndjson":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif suffix == "csv":
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines = [",".join(str(row.get(name, "")) for name in names) for row in rows]
        path.write_text("\n".join([",".join(names), *lines]) + "\n")
    else:
        pq.write_table(pa.Table.from_pylist(rows, schema=pa.Table.from_pylist([rows[1]]).schema), path)
    return path


def counted(pipeline: Pipeline) -> list[dict[str, object]]:
    flow = ContentFlow(pipeline)
    flow.drain()
    flow.refresh()
    with pipeline.engine.session() as session:
        statement = "select views, likes, watch_time_seconds, loops, over_75 from content_metrics"
        rows: list[dict[str, object]] = session.run(statement).read_all().to_pylist()
        return rows


@pytest.mark.parametrize("suffix", ["ndjson", "csv", "parquet"])
def test_every_format_says_the_same_and_twice_changes_nothing(pipeline: Pipeline, tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix, ROWS)
    done = import_events(pipeline, path, "w")
    assert (done.accepted, done.duplicates, done.problems) == (3, 0, [])
    expected = [{"views": 1, "likes": 1, "watch_time_seconds": 60.0, "loops": 1, "over_75": 1}]
    assert counted(pipeline) == expected
    again = import_events(pipeline, path, "w")
    assert (again.accepted, again.duplicates) == (0, 3)
    assert counted(pipeline) == expected
    assert len(list_imports(pipeline.control)) == 1


def test_bad_rows_are_told_by_line_and_the_others_kept(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "mixed.ndjson"
    lines = [json.dumps(ROWS[0]), "{", json.dumps({**ROWS[0], "event_type": "dance"}), '"text"']
    lines.append(json.dumps({**ROWS[0], "workspace_id": "elsewhere"}))
    path.write_text("\n".join(lines))
    done = import_events(pipeline, path, "w")
    assert done.accepted == 1
    assert [line for line, _ in sorted(done.problems)] == [2, 3, 4, 5]
    assert "dance" not in str(done.problems), "a bad value is not repeated"


def test_old_events_are_refused_unless_they_are_meant(pipeline: Pipeline, tmp_path: Path) -> None:
    old = [{**row, "client_ts": (NOW - timedelta(days=40)).isoformat()} for row in ROWS[:1]]
    path = written(tmp_path, "ndjson", old)
    with pytest.raises(UserError, match=r"No event of events\.ndjson could be imported \(line 1: "):
        import_events(pipeline, path, "w")
    assert import_events(pipeline, path, "w", take_old=True).accepted == 1
    (row,) = counted(pipeline)
    assert row["views"] == 1, "closed days are counted anew"
    more = written(tmp_path, "ndjson", [{**old[0], "session_id": "s9"}])
    import_events(pipeline, more, "w", take_old=True)
    (row,) = counted(pipeline)
    assert row["views"] == 2
