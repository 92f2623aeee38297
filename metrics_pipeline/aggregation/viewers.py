"""How many distinct people ever viewed an item: exact while all its viewers are kept, else exact plus a sketch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from metrics_pipeline.lake.content_state_tables import CONTENT_VIEWERS
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.viewer_sketches import estimate

_COUNTED = pa.schema([field for field in CONTENT_VIEWERS.schema if field.name != "counted_at"])


@dataclass(frozen=True)
class ViewerCounter:
    """Builds content_viewers."""

    engine: Engine

    def count(self, now: datetime, touched: pa.Table | None, notes: Mapping[str, str] | None = None) -> int:
        """Count the viewers of the items `touched` (workspace_id, content_id), None for all.

        Returns how many items have viewers; the others have no row.
        """
        if touched is None:
            touched = self.engine.query("content/items_with_viewers.sql")
        # in one session, so that a day is read before or after it went into the sketches, never in between
        viewers = self.engine.query("content/viewer_counts.sql", relations={"touched": touched})
        relations = {"touched": touched, "counted": _counted(viewers)}
        return self.engine.build(
            "content_viewers", "content/content_viewers.sql", Partitions(), {"now": now}, relations, notes=notes
        )


def _counted(viewers: pa.Table) -> pa.Table:
    """Rows of viewer_counts.sql as numbers."""
    is_exact = pc.is_null(viewers["sketch"])
    exact = viewers.filter(is_exact).select(["workspace_id", "content_id", "unique_viewers"])
    exact = exact.append_column("approximate", pa.repeat(False, exact.num_rows))
    exact = exact.append_column("error_bound", pa.nulls(exact.num_rows, pa.float64()))
    estimated = []
    for batch in viewers.filter(pc.invert(is_exact)).to_batches():
        for row in range(batch.num_rows):
            kept = batch.column("viewers")[row].as_py()
            found = estimate(batch.column("sketch")[row].as_py(), kept)
            estimated.append(
                {
                    "workspace_id": batch.column("workspace_id")[row].as_py(),
                    "content_id": batch.column("content_id")[row].as_py(),
                    "unique_viewers": max(found.viewers, len(kept)),
                    "approximate": True,
                    "error_bound": found.error_bound,
                }
            )
    return pa.concat_tables([exact.cast(_COUNTED), pa.Table.from_pylist(estimated, schema=_COUNTED)])
