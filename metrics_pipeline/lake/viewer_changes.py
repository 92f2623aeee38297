"""Which content items' viewers have changed, from the files of viewer_days: counting anew costs what changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.event_tables import VIEWER_DAYS
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions


def items_with_new_viewers(lake: Lake, since: int | None) -> tuple[int, pa.Table | None]:
    """The version of viewer_days now, and the items (workspace_id, content_id) on days rewritten after version `since`.

    Items that such a day held then or holds now, so that one that lost its last viewer is among them, and those whose
    sketch took in a day that came and expired in between. None where that cannot be told: there is no `since`, or its
    files were removed. Then any item may have changed.
    """
    now = lake.table(VIEWER_DAYS.name)
    if since is None or since > now.version():
        return now.version(), None
    try:
        before = DeltaTable(lake.uri(VIEWER_DAYS.name), version=since)
        files, files_before = _days_by_file(now), _days_by_file(before)
        days = {files.get(f) or files_before[f] for f in files.keys() ^ files_before.keys()}
        folded = Engine(lake).query("content/items_folded_since.sql", {"since": since})
        items = pa.concat_tables([_items(lake, now, days), _items(lake, before, days), folded])
    except (DeltaError, duckdb.IOException, OSError):  # maintenance has removed that version's log or files
        return now.version(), None
    return now.version(), items.group_by(items.column_names).aggregate([])


def _days_by_file(table: DeltaTable) -> Mapping[str, date]:
    added = pa.table(table.get_add_actions(flatten=True)).select(["path", "partition.date"]).to_pylist()
    return {str(file["path"]): file["partition.date"] for file in added}


def _items(lake: Lake, table: DeltaTable, days: set[date]) -> pa.Table:
    """The items with viewers on these days of one version."""
    if not days:
        return pa.schema([VIEWER_DAYS.schema.field(name) for name in ("workspace_id", "content_id")]).empty_table()
    with Engine(lake).session() as session:
        session.pin(table, VIEWER_DAYS.name, Partitions(one_of=("date", days)))
        return session.run_file("content/viewed_items.sql").read_all()
