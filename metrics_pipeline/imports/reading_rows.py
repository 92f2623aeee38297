"""From the text of a readings file to typed rows, and to the list of what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.catalog.platform_names import PLATFORM_NAMES
from metrics_pipeline.imports.metric_names import names_relation, uses_of
from metrics_pipeline.imports.source_files import Columns, RawRows
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.session import conform
from metrics_pipeline.lake.tables import COUNTER_READINGS, INSIGHT_READINGS

READING_COLUMNS = Columns(
    required=("workspace_id", "platform", "account_id", "metric", "date", "value"),
    optional=("post_id", "kind", "read_at", "metadata"),
)
_PROBLEM_COLUMNS: dict[str, pa.DataType] = {"line": pa.int64(), "problem": pa.string()}
PROBLEMS = pa.schema(_PROBLEM_COLUMNS)


@dataclass(frozen=True)
class CheckedReadings:
    """A file's rows after the check.

    accepted: typed rows, each reading once. problems: line and reason of every refused line, by line.
    without_value: lines that carry no number. repeated: lines that say again what an earlier one said.
    """

    accepted: pa.Table
    problems: pa.Table
    without_value: int
    repeated: int


def check_readings(engine: Engine, catalog: Catalog, raw: RawRows, now: datetime) -> CheckedReadings:
    """Parse and judge every line. Nothing is written."""
    uses = uses_of(engine.query("imports/reading_names.sql", relations={"raw": raw.rows}))
    relations = {
        "raw": raw.rows,
        "names": names_relation(catalog, uses),
        "platform_names": pa.table({"platform": pa.array(PLATFORM_NAMES)}),
    }
    rows = engine.query("imports/check_readings.sql", {"now": now}, relations)
    good = rows.filter(pc.field("problem").is_null())
    numbers = good.filter(pc.field("has_value"))
    accepted = numbers.filter(pc.field("is_first"))
    return CheckedReadings(
        accepted=accepted,
        problems=_problems(rows.filter(~pc.field("problem").is_null()), raw.broken),
        without_value=good.num_rows - numbers.num_rows,
        repeated=numbers.num_rows - accepted.num_rows,
    )


def _problems(rows: pa.Table, broken: Iterable[tuple[int, str]]) -> pa.Table:
    unread = pa.Table.from_pylist([{"line": line, "problem": reason} for line, reason in broken], schema=PROBLEMS)
    return pa.concat_tables([rows.select(PROBLEMS.names).cast(PROBLEMS), unread]).sort_by("line")


def lake_rows(engine: Engine, accepted: pa.Table, import_id: str) -> dict[str, pa.Table]:
    """The accepted rows with the columns of the lake tables they belong into, by table name."""
    files = {INSIGHT_READINGS: "imports/insight_rows.sql", COUNTER_READINGS: "imports/counter_rows.sql"}
    found = {}
    for spec, file in files.items():
        with engine.session({"accepted": accepted}) as session:
            found[spec.name] = conform(session.run_file(file, {"import_id": import_id}), spec)
    return found
