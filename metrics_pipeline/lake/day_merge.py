"""Rows with keys, read day by day from a source whose rows change later: each stands once, in its own day.

What was read of a day replaces the day. Rows of other days, read because they changed, replace their earlier state,
and a row whose day moved leaves the day it stood in. One commit does all of it, and only days that differ are written:
the same read again writes nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from deltalake import DeltaTable, Transaction

from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.changes import days_note
from metrics_pipeline.lake.differences import differences, differing_days, first_difference
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import commit_retries, replace_partitions
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Session
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.lake.table_spec import TableSpec

# The column that tells when a row was first read as it stands: no part of how it stands.
_READ_AT = ("extracted_at", "received_at")
# Half a million messages are merged in it; what more rows take waits on disk.
MEMORY = "512MB"

Read = Callable[[Path], None]
Look = Callable[[Path, DeltaTable], Partitions | None]


@dataclass(frozen=True)
class Merged:
    """rows: of the source that were read. changed: the days that differ now; a table without days has none."""

    rows: int
    changed: tuple[date, ...]
    is_changed: bool


def merge_days(engine: Engine, spec: TableSpec, days: Collection[date], read: Read) -> Merged:
    """Replace `days`, and merge by key what lies outside of them; a table without days is replaced whole.

    `read` writes a Parquet file with the table's schema. It is called once the target is open, and again after a
    conflict: what another process committed meanwhile is never replaced by rows that were read before.

    Raises:
        UserError: two rows that were read share a key.
        CommitFailedError: other writers kept winning.
    """
    return merge_rows(engine, spec, days, lambda file, _: read(file))


def merge_rows(
    engine: Engine, spec: TableSpec, days: Collection[date], look: Look, transaction: Transaction | None = None
) -> Merged:
    """`merge_days` for rows that are made of those at hand: `look` also gets the open target.

    It may say in which partitions the rows and their earlier state stand; the others are not opened then. Writers under
    one name of a transaction exclude each other, which by day they would not: two may place one new row in two days.
    """
    import pyarrow.dataset as pads  # a fifth of a second: it loads pandas

    spill = spill_directory(engine.lake.location)
    spill.mkdir(mode=0o700, parents=True, exist_ok=True)
    for attempt in commit_retries():
        with attempt, tempfile.TemporaryDirectory(dir=spill) as directory:
            target = engine.lake.table(spec.name)
            file = Path(directory) / "incoming.parquet"
            only = look(file, target)
            incoming = pads.dataset(file, format="parquet")
            with engine.session({"incoming": incoming}, memory=MEMORY) as session:
                session.pin(target, spec.name, only)
                _refuse_repeated_keys(session, spec)
                partitions, changed = _prepare(session, spec, days)
                if partitions is not None:
                    predicate = partitions.predicate(spec)
                    note = days_note(changed, _since(session, spec, predicate))
                    rows = session.run(f"select * from gathered where {predicate} order by {_names(_order(spec))}")  # noqa: S608 - names of our own
                    replace_partitions(target, predicate, rows.cast(spec.schema), note, transaction=transaction)
                return Merged(incoming.count_rows(), tuple(changed), partitions is not None)
    raise AssertionError("unreachable: the last attempt raises")


def _prepare(session: Session, spec: TableSpec, days: Collection[date]) -> tuple[Partitions | None, list[date]]:
    """Keep the rows of all days at hand as `gathered`; returns the partitions that differ, None for none, and days."""
    if spec.day_column is None:
        session.keep_rows("gathered", _as_known(spec))
        differs = session.run(differences("gathered", spec.name, "true", _facts(spec))).read_all().num_rows > 0
        return (Partitions() if differs else None), []
    touched = sorted({*days, *_other_days(session, spec)})
    here = Partitions(one_of=(spec.day_column, touched)).predicate(spec)
    outside = sorted(set(touched) - set(days))
    session.keep_rows("gathered", _as_known(spec) + (_untouched(spec, outside) if outside else ""))
    stale = f"(select * from {spec.name} where {here})"  # noqa: S608 - names of our own
    changed = differing_days(session, "gathered", stale, spec.day_column, _facts(spec))
    if not changed:
        return None, []
    return Partitions(one_of=(spec.day_column, changed)), changed


def _since(session: Session, spec: TableSpec, predicate: str) -> date | None:
    instants = [c.name for c in spec.columns if c.type == "timestamp" and c.name != _read_at(spec)]
    fresh, stale = (f"(select * from {name} where {predicate})" for name in ("gathered", spec.name))  # noqa: S608 - names of our own
    return first_difference(session, fresh, stale, spec.keys, instants)


def _other_days(session: Session, spec: TableSpec) -> list[date]:
    """The days of what was read, and those in which rows of these keys stand now."""
    statement = f"""
        select distinct {spec.day_column} as day from incoming
        union
        select distinct t.{spec.day_column} from {spec.name} as t semi join incoming as i on {_same_key(spec)}
    """  # noqa: S608 - names of our own
    return _days_in(session, statement)


def _days_in(session: Session, statement: str) -> list[date]:
    """The days in the first column of a statement's rows, in order."""
    return sorted(day for day in session.run(statement).read_all().column(0).to_pylist() if isinstance(day, date))


def _as_known(spec: TableSpec) -> str:
    """What was read; a row that stands as it stood keeps the instant it was first read."""
    read_at = _read_at(spec)
    day = f"t.{spec.day_column} = i.{spec.day_column} and " if spec.day_column else ""
    same = " and ".join(f't."{name}" is not distinct from i."{name}"' for name in _facts(spec) if name not in spec.keys)
    return f"""
        select i.* replace (coalesce(t.{read_at}, i.{read_at}) as {read_at})
        from incoming as i left join {spec.name} as t on {day}{_same_key(spec)}{" and " if same else ""}{same}
    """  # noqa: S608 - names of our own


def _untouched(spec: TableSpec, outside: Sequence[date]) -> str:
    """The rows of the other days that were not read."""
    there = Partitions(one_of=(str(spec.day_column), list(outside))).predicate(spec)
    return f"""
        union all
        select t.* from {spec.name} as t anti join incoming as i on {_same_key(spec)} where {there}
    """  # noqa: S608 - names of our own


def _refuse_repeated_keys(session: Session, spec: TableSpec) -> None:
    keys = _names(spec.keys)
    statement = f"select count(*) as n from (select 1 from incoming group by {keys} having count(*) > 1)"  # noqa: S608
    repeated = session.run(statement).read_all()["n"][0].as_py()
    if repeated:
        raise UserError(
            f"{spec.name}: {', '.join(spec.keys)} is no key, {repeated} of its values stand in more than one row; "
            "declare the columns that identify a row."
        )


def _same_key(spec: TableSpec) -> str:
    return " and ".join(f't."{key}" = i."{key}"' for key in spec.keys)


def _facts(spec: TableSpec) -> list[str]:
    return [column.name for column in spec.columns if column.name != _read_at(spec)]


def _read_at(spec: TableSpec) -> str:
    return next(name for name in _READ_AT if name in spec.schema.names)


def _order(spec: TableSpec) -> list[str]:
    return list(dict.fromkeys((*spec.partition_by, *spec.sort_by)))


def _names(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
