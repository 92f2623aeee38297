"""Rows computed while they are written: all of them, or the failure as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from metrics_pipeline.lake.row_stream import RowStream

SCHEMA = pa.schema([("n", pa.int64())])


def batches(count: int, fails_at: int | None = None) -> Iterator[pa.RecordBatch]:
    for n in range(count):
        if n == fails_at:
            raise ValueError(f"batch {n} is wrong")
        yield pa.record_batch({"n": [n]}, schema=SCHEMA)


def test_every_row_arrives_in_its_order() -> None:
    stream = RowStream(SCHEMA, lambda: batches(50))
    assert stream.reader.read_all()["n"].to_pylist() == list(range(50))
    stream.close()
    stream.reraise()


@pytest.mark.parametrize("fails_at", [0, 20])
def test_a_failure_ends_the_reading_and_is_raised_as_it_was(fails_at: int) -> None:
    stream = RowStream(SCHEMA, lambda: batches(50, fails_at))
    with pytest.raises(RuntimeError, match="could not be computed"):
        stream.reader.read_all()
    stream.close()
    with pytest.raises(ValueError, match=f"batch {fails_at} is wrong"):
        stream.reraise()


def test_nobody_has_to_read_to_the_end() -> None:
    stream = RowStream(SCHEMA, lambda: batches(10_000))
    assert stream.reader.read_next_batch()["n"].to_pylist() == [0]
    stream.close()
