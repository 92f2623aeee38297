"""Several tables from one pass over the same input: what they share is computed once, each gets one commit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import commit_retries, replace_partitions
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Days, Parameter, Relations, Session, conform
from metrics_pipeline.lake.spill import spill_directory


@dataclass(frozen=True)
class Output:
    """A table, the file under `sql/` that makes its rows, and the partitions that these replace."""

    table: str
    file: str
    partitions: Partitions


@dataclass(frozen=True)
class Portion:
    """As much of the range as is computed at a time. `days`: see Session."""

    parameters: Mapping[str, Parameter]
    relations: Relations = field(default_factory=dict)
    days: Mapping[str, Days] = field(default_factory=dict)


Prepare = Callable[[Session, Portion], None]


def build_together(
    engine: Engine, outputs: Sequence[Output], portions: Sequence[Portion], prepare: Prepare
) -> dict[str, int]:
    """Replace the partitions of every output in one commit each; returns rows by table.

    `prepare` makes what the files share, by Session.keep and Session.define. All portions read the same versions. Rows
    wait on disk, so memory is bounded by a portion and not by the range. After a conflict the tables not yet written
    are computed again.
    """
    pending, counts = list(outputs), {o.table: 0 for o in outputs}
    spill = spill_directory(engine.lake.location)
    spill.mkdir(mode=0o700, parents=True, exist_ok=True)
    for attempt in commit_retries():
        with attempt, tempfile.TemporaryDirectory(dir=spill) as directory:
            # open before any input is read: what others commit meanwhile is then refused, never overwritten
            targets = {o.table: engine.lake.table(o.table) for o in pending}
            pinned: dict[str, DeltaTable] = {}
            for n, portion in enumerate(portions):
                with Session(engine.lake, portion.relations, portion.days, pinned) as session:
                    prepare(session, portion)
                    for output in pending:
                        rows = conform(
                            session.run_file(output.file, portion.parameters), engine.lake.tables[output.table]
                        )
                        _spool(rows, Path(directory) / f"{output.table}-{n}.arrow")
            metadata = {f"source.{name}": str(table.version()) for name, table in pinned.items()}
            for output in list(pending):
                spec = engine.lake.tables[output.table]
                files = [Path(directory) / f"{output.table}-{n}.arrow" for n in range(len(portions))]
                counts[output.table] = sum(_row_count(file) for file in files)
                reader = pa.RecordBatchReader.from_batches(spec.schema, _batches(files))
                replace_partitions(targets[output.table], output.partitions.predicate(spec), reader, metadata)
                pending.remove(output)
    return counts


def _spool(rows: pa.Table, file: Path) -> None:
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)


def _row_count(file: Path) -> int:
    with pa.memory_map(str(file)) as source:
        reader = pa.ipc.open_file(source)
        return sum(reader.get_batch(n).num_rows for n in range(reader.num_record_batches))


def _batches(files: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    for file in files:
        with pa.memory_map(str(file)) as source:
            reader = pa.ipc.open_file(source)
            for n in range(reader.num_record_batches):
                yield reader.get_batch(n)
