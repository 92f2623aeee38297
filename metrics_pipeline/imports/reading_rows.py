"""From the text of a readings file to typed rows, and to the list of what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.control.platform_names import KNOWN_PLATFORMS
from metrics_pipeline.imports.metric_names import names_relation, uses_of
from metrics_pipeline.imports.source_files import Columns, RawRows
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.tables import COUNTER_READINGS, INSIGHT_READINGS

READING_COLUMNS = Columns(
    required=("workspace_id", "platform", "account_id", "metric", "date", "value"),
    optional=("post_id", "kind", "read_at", "metadata"),
)
PROBLEMS = pa.schema([("line", pa.int64()), ("problem", pa.string())])


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
        "platform_names": pa.table({"platform": pa.array(KNOWN_PLATFORMS)}),
    }
    rows = engine.query("imports/check_readings.sql", {"now": now}, relations)
    is_good = pc.is_null(rows["problem"])
    is_kept = pc.and_(is_good, pc.and_(rows["has_value"], pc.invert(rows["is_repeated"])))
    return CheckedReadings(
        accepted=rows.filter(is_kept),
        problems=_problems(rows.filter(pc.invert(is_good)), raw.broken),
        without_value=_count(pc.and_(is_good, pc.invert(rows["has_value"]))),
        repeated=_count(pc.and_(is_good, rows["is_repeated"])),
    )


def _problems(rows: pa.Table, broken: Iterable[tuple[int, str]]) -> pa.Table:
    unread = pa.Table.from_pylist([{"line": line, "problem": reason} for line, reason in broken], schema=PROBLEMS)
    return pa.concat_tables([rows.select(PROBLEMS.names).cast(PROBLEMS), unread]).sort_by("line")


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)


def lake_rows(accepted: pa.Table, import_id: str) -> dict[str, pa.Table]:
    """The accepted rows with the columns of the lake tables they belong into, by table name."""
    is_series = pc.equal(accepted["kind"], "series")
    series, totals = accepted.filter(is_series), accepted.filter(pc.invert(is_series))
    return {
        INSIGHT_READINGS.name: _filled(
            series,
            INSIGHT_READINGS.schema,
            {"window": _repeated("P1D", series), "confirmed_at": series["read_at"], **_provenance(series, import_id)},
        ),
        COUNTER_READINGS.name: _filled(
            totals,
            COUNTER_READINGS.schema,
            {"observed_at": totals["read_at"], "hour": _hour(totals), **_provenance(totals, import_id)},
        ),
    }


def _provenance(rows: pa.Table, import_id: str) -> dict[str, pa.Array]:
    constants = {"source": "import", "api": "import", "day_timezone": "UTC", "import_id": import_id, "run_id": import_id}
    return {name: _repeated(value, rows) for name, value in constants.items()}


def _repeated(value: str, rows: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), rows.num_rows)


def _hour(rows: pa.Table) -> pa.Array:
    """The UTC hour of the observation; one made after its day stands for the day's last hour."""
    same_day = pc.equal(pc.cast(rows["read_at"], pa.date32()), rows["date"])
    return pc.if_else(same_day, pc.hour(rows["read_at"]), pa.scalar(23, pa.int64()))


def _filled(rows: pa.Table, schema: pa.Schema, more: dict[str, pa.Array]) -> pa.Table:
    """The table's columns in its order and types; what an import does not have is null."""
    have = {**{name: rows[name] for name in rows.schema.names}, **more}
    arrays = [have[f.name] if f.name in have else pa.nulls(rows.num_rows, f.type) for f in schema]
    return pa.table(arrays, names=schema.names).cast(schema)
