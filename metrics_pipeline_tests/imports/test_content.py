"""Attributes of content from files: checked line by line, the newest word on an item counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline.events.content import ContentAttributes, parse_content
from metrics_pipeline.imports.content import import_content
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings

NOW = datetime(2026, 3, 18, 10, tzinfo=UTC)


def at(home: Path, now: datetime = NOW) -> Pipeline:
    return Pipeline(load_settings(data_dir=home / "data", now=now))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    add_workspace(at(tmp_path).control, "Acme", "acme", now=NOW)
    return tmp_path


def written(home: Path, name: str, text: str) -> Path:
    path = home / name
    path.write_text(text)
    return path


def stored(home: Path) -> list[dict[str, object]]:
    with at(home).engine.session() as session:
        rows: list[dict[str, object]] = session.run("select * from content order by all").read_all().to_pylist()
        return rows


def test_good_rows_are_kept_and_bad_ones_told_by_line(home: Path) -> None:
    text = (
        "workspace_id,content_id,creator_id,duration_seconds,published_at,metadata\n"
        'acme,v1,anna,12.5,2026-03-01T10:00:00Z,"{""series"": 3}"\n'
        "acme,,anna,1,,\n"
        "acme,v2,anna,minus one,,\n"
        "acme,v3,anna,3,2026-03-01T10:00:00,\n"
        "elsewhere,v4,,,,\n"
        "acme,v5,,,,not json\n"
    )
    done = import_content(at(home), written(home, "content.csv", text))
    assert (done.items, done.new) == (1, 1)
    assert [line for line, _ in done.problems] == [3, 4, 5, 6, 7]
    reasons = [reason for _, reason in done.problems]
    for reason, part in zip(
        reasons, ("content_id", "duration_seconds", "timezone", "no workspace", "metadata"), strict=True
    ):
        assert part in reason
    assert "minus one" not in " ".join(reasons), "a bad value is not repeated"
    (row,) = stored(home)
    assert (row["content_id"], row["creator_id"], row["duration_seconds"]) == ("v1", "anna", 12.5)
    assert json.loads(str(row["metadata"])) == {"series": 3}


def test_the_newest_word_counts_whole_and_the_same_file_changes_nothing(home: Path) -> None:
    path = written(home, "a.ndjson", '{"content_id": "v1", "caption": "one", "creator_id": "anna"}\n')
    import_content(at(home), path, "acme")
    version = at(home).lake.version("content")
    assert import_content(at(home), path, "acme").new == 0
    assert at(home).lake.version("content") == version, "nothing was written"
    path = written(home, "b.ndjson", '{"content_id": "v1", "caption": "two"}\n')
    later = at(home, NOW + timedelta(hours=1))
    assert import_content(later, path, "acme").new == 0
    (row,) = stored(home)
    assert (row["caption"], row["creator_id"]) == ("two", None)


def test_a_file_that_cannot_be_used_says_why(home: Path) -> None:
    with pytest.raises(UserError, match=r"No row of c\.csv could be imported \(line 2: workspace_id is missing"):
        import_content(at(home), written(home, "c.csv", "content_id\nv1\n"))
    mixed = written(home, "d.csv", "content_id,duration_seconds\nv1,1\nv2,x\n")
    with pytest.raises(UserError, match="1 bad rows: nothing was imported"):
        import_content(at(home), mixed, "acme", strict=True)
    assert stored(home) == []


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "content_id"),
        ({"content_id": "x" * 256}, "content_id"),
        ({"content_id": "v", "duration_seconds": float("nan")}, "duration_seconds"),
        ({"content_id": "v", "thumbnail_url": "javascript:alert(1)"}, "thumbnail_url"),
        ({"content_id": "v", "secret": 1}, "secret"),
    ],
)
def test_attributes_that_cannot_be_meant_are_refused(given: dict[str, object], complaint: str) -> None:
    found = parse_content(given)
    assert isinstance(found, str)
    assert found.startswith(complaint)


def test_a_caption_is_shortened() -> None:
    found = parse_content({"content_id": "v", "caption": "x" * 1000})
    assert isinstance(found, ContentAttributes)
    assert len(str(found.row("w", NOW)["caption"])) == 280
