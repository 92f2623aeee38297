"""Taking persons out of the lake: their rows, the superseded files that still hold them, what crashed writers left.

Rows are filtered out day by day and the day replaced: a delete by predicate would write the person's id into the
table's log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date

import pyarrow as pa

from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake, commit_retries, replace_partitions
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Session
from metrics_pipeline.lake.spill import sweep_spill
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.lake.tables import TABLES

# A writer that has not committed its file after so long will not.
ORPHAN_HOURS = 1

# How a row of `erased` (erasure_id, workspace_id, viewer_hash, user_id, quoted) is found in a table, by the column
# that names people there. A refused event may name its person in what was sent only.
_MATCHES = {
    "viewer_hash": "t.workspace_id = p.workspace_id and t.viewer_hash = p.viewer_hash",
    "user_id": "t.workspace_id = p.workspace_id and (t.user_id = p.user_id or contains(t.payload, p.quoted))",
}

Note = Callable[[pa.Table], Mapping[str, str]]


def tables_with_people() -> list[TableSpec]:
    """The tables with rows of single persons; raw events first: the others are made of them."""
    return [spec for spec in TABLES.values() if spec.people_column is not None]


def take_out(engine: Engine, spec: TableSpec, erased: pa.Table, note: Note = lambda _: {}) -> Counter[str]:
    """Rewrite the days of a table that have rows of these people, a commit each, without them; rows by erasure.

    `erased`: see _MATCHES. `note` makes the commit's metadata from the rows that go.

    Raises:
        CommitFailedError: other writers kept winning; what was done is done, and doing it again does the rest.
    """
    taken: Counter[str] = Counter()
    for day in _days_of(engine, spec, erased):
        for attempt in commit_retries():
            with attempt:
                target = engine.lake.table(spec.name)
                partition = Partitions(one_of=(str(spec.day_column), [day]))
                with engine.session({"erased": erased}) as session:
                    session.pin(target, spec.name, partition)
                    gone = session.run(_rows_that(spec, "match")).read_all()
                    remaining = session.run(_rows_that(spec, "remain")).cast(spec.schema)
                    replace_partitions(target, partition.predicate(spec), remaining, note(gone))
                # a refused event may name both the person and a session
                once = gone.group_by(list(spec.keys)).aggregate([("erasure_id", "min")])
                taken.update(map(str, once["erasure_id_min"].to_pylist()))
    return taken


def count_rows(engine: Engine, spec: TableSpec, erased: pa.Table) -> int:
    """Rows of these people in the table's present version."""
    with engine.session({"erased": erased}) as session:
        return session.run(_rows_that(spec, "match")).read_all().num_rows


def remove_superseded(lake: Lake, name: str) -> int:
    """Delete the files that the present version of a table does not use; returns how many.

    Whoever still reads an older version loses it. Files that no version names stay, see `forsaken_files`.
    """
    table = lake.table(name)
    return len(table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False))


def forsaken_files(lake: Lake) -> int:
    """Files that no version of a table with people names, and intermediate rows: of processes at work, or crashed.

    Those older than ORPHAN_HOURS are deleted first; returns how many are left.
    """
    return sweep_spill(lake.location, ORPHAN_HOURS) + sum(_unnamed(lake, spec.name) for spec in tables_with_people())


def _unnamed(lake: Lake, name: str) -> int:
    table = lake.table(name)
    table.vacuum(retention_hours=ORPHAN_HOURS, dry_run=False, enforce_retention_duration=False, full=True)
    table = lake.table(name)
    unused = set(table.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False, full=True))
    return len(unused - set(table.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False)))


def _days_of(engine: Engine, spec: TableSpec, erased: pa.Table) -> list[date]:
    with engine.session({"erased": erased}) as session:
        rows = _found(session, spec)
    return sorted(day for day in rows if isinstance(day, date))


def _found(session: Session, spec: TableSpec) -> list[object]:
    statement = f"select distinct t.{spec.day_column} as day from {_join(spec)}"  # noqa: S608 - names of our own
    return session.run(statement).read_all()["day"].to_pylist()


def _rows_that(spec: TableSpec, how: str) -> str:
    if how == "match":
        return f"select p.erasure_id, t.* from {_join(spec)}"  # noqa: S608 - names of our own
    condition = _MATCHES[str(spec.people_column)]
    return f"select t.* from {spec.name} as t where not exists (select 1 from erased as p where {condition})"  # noqa: S608


def _join(spec: TableSpec) -> str:
    return f"{spec.name} as t inner join erased as p on {_MATCHES[str(spec.people_column)]}"
