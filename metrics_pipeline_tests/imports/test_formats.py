"""One set of rows in three formats is one import; whatever a file holds, no error but a clear one comes out."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.csv_rows import read_csv
from metrics_pipeline.imports.ndjson_rows import read_ndjson
from metrics_pipeline.imports.reading_rows import READING_COLUMNS, check_readings
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline_tests.imports.conftest import HEADER, NOW, Check, Lines, problems

CELL = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["acme", "x", "youtube", "views", "viewCount", "2026-03-01", "5", "-1e308", "series", "counter", '{"a": 1}', ""]
    ),
)
TREE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | CELL,
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


def test_csv_ndjson_and_parquet_agree(check: Check, lines: Lines, tmp_path: Path) -> None:
    (tmp_path / "f.ndjson").write_text(
        '{"workspace_id": "acme", "platform": "X", "account_id": "a", "metric": "likes", "date": "2026-03-01", '
        '"value": 1.5, "metadata": {"a": [1, "ä"]}}\n'
        "\n"
        '{"workspace_id": "acme", "platform": "x", "account_id": 7, "post_id": 12, "metric": "likes", '
        '"date": "2026-03-02", "value": "3", "kind": "counter", "read_at": "2026-03-02 10:30:00"}\n'
        '{"workspace_id": "acme", "platform": "x", "account_id": "a", "metric": "likes", "date": "2026-03-03", '
        '"value": null, "extra": 1}\n'
    )
    csv_file = lines(
        'acme,X,a,,likes,2026-03-01,1.5,,,"{""a"":[1,""ä""]}"',
        "acme,x,7,12,likes,2026-03-02,3,counter,2026-03-02T12:30:00+02:00,",
        "acme,x,a,,likes,2026-03-03,,,,",
    )
    table = pa.table(
        {
            "workspace_id": ["acme"] * 3,
            "platform": ["X", "x", "x"],
            "Account_Id": ["a", "7", "a"],
            "post_id": pa.array([None, 12, None], pa.int64()),
            "metric": ["likes"] * 3,
            "date": pa.array([date(2026, 3, n) for n in (1, 2, 3)]),
            "value": [1.5, 3.0, None],
            "kind": [None, "counter", None],
            "read_at": pa.array([None, datetime(2026, 3, 2, 10, 30), None], pa.timestamp("us")),  # noqa: DTZ001
            "metadata": ['{"a":[1,"ä"]}', None, None],
        }
    )
    pq.write_table(table, tmp_path / "f.parquet")
    read = [check(path).rows for path in (csv_file, tmp_path / "f.ndjson", tmp_path / "f.parquet")]
    rows = [[{**row, "line": 0} for row in one.accepted.sort_by("date").to_pylist()] for one in read]
    assert rows[0] == rows[1] == rows[2]
    assert [one.without_value for one in read] == [1, 1, 1]
    assert [row["value"] for row in rows[0]] == [1.5, 3.0]
    assert [row["read_at"].isoformat() for row in rows[0]] == ["2026-03-02T00:00:00+00:00", "2026-03-02T10:30:00+00:00"]


def test_parquet_types(check: Check, tmp_path: Path) -> None:
    """Midnights are days, structs are metadata, and a time of day is no date."""
    table = pa.table(
        {
            **{name: [value] * 2 for name, value in (("workspace_id", "acme"), ("platform", "x"), ("account_id", "a"))},
            "metric": ["likes", "likes"],
            "date": pa.array([datetime(2026, 3, 1), datetime(2026, 3, 2, 8)], pa.timestamp("ns")),  # noqa: DTZ001
            "value": pa.array([3, 4], pa.int32()),
            "metadata": [{"a": 1}, {"a": 2}],
        }
    )
    pq.write_table(table, tmp_path / "f.parquet")
    checked = check(tmp_path / "f.parquet")
    assert problems(checked) == {2: "bad date '2026-03-02 08:00:00', not a day as YYYY-MM-DD"}
    assert checked.rows.accepted["metadata"].to_pylist() == ['{"a":1}']


def test_lines_of_ndjson(check: Check, tmp_path: Path) -> None:
    good = dict(
        zip(HEADER.split(","), ["acme", "x", "a", None, "likes", "2026-03-01", True, None, None, None], strict=True)
    )
    (tmp_path / "f.jsonl").write_text(
        "\ufeff" + json.dumps({**good, "value": 1}) + "\n\n{oops\n[1]\n" + json.dumps(good)
    )
    assert problems(check(tmp_path / "f.jsonl")) == {
        3: "is no JSON object",
        4: "is no JSON object",
        5: "bad number 'true'",
    }


@pytest.fixture(scope="module")
def one_pipeline(empty_stores: Path) -> Pipeline:
    """Checking writes nothing, so all examples share one lake."""
    from metrics_pipeline.settings import load_settings

    return Pipeline(load_settings(data_dir=empty_stores, now=NOW))


FUZZ = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(rows=st.lists(st.lists(CELL, min_size=9, max_size=11).map(",".join), max_size=8), tail=st.binary(max_size=6))
def test_any_csv_gives_rows_or_one_clear_error(
    one_pipeline: Pipeline, tmp_path: Path, rows: list[str], tail: bytes
) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes("\n".join([HEADER, *rows]).encode("utf-8", "surrogatepass") + tail)
    try:
        raw = read_csv(path, READING_COLUMNS, lambda _: None)
    except UserError:
        return
    checked = check_readings(one_pipeline.engine, one_pipeline.catalog, raw, NOW)
    assert checked.problems.num_rows >= len(raw.broken)


@FUZZ
@given(rows=st.lists(st.dictionaries(st.sampled_from(HEADER.split(",")), TREE), max_size=8), tail=st.binary(max_size=6))
def test_any_ndjson_gives_rows_or_one_clear_error(
    one_pipeline: Pipeline, tmp_path: Path, rows: list[dict[str, object]], tail: bytes
) -> None:
    path = tmp_path / "f.ndjson"
    path.write_bytes("\n".join(json.dumps(row) for row in rows).encode() + tail)
    try:
        raw = read_ndjson(path, READING_COLUMNS, lambda _: None)
    except UserError:
        return
    check_readings(one_pipeline.engine, one_pipeline.catalog, raw, NOW)
