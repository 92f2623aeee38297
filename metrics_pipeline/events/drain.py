"""From the inbox to the lake, exactly once.

A piece of the inbox is appended under the version number of its last sequence and only then deleted. Whoever crashes
in between leaves rows that the next drain finds below the table's version and deletes; two drains at once see each
other's version when they commit. Event ids the table already holds on the days around are left out. Attributes of
content and statuses of messages need none of this: merging the same ones again changes nothing.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from deltalake import DeltaTable

from metrics_pipeline.control.account_owners import Owners
from metrics_pipeline.control.erased_people import ErasedPeople
from metrics_pipeline.events.content import merge_content
from metrics_pipeline.events.dirty import Hour, hours_of, to_metadata
from metrics_pipeline.events.inbox import Inbox, StoredRow
from metrics_pipeline.events.status_drain import keep_statuses
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.event_tables import CONTENT, EVENTS, REJECTED_EVENTS
from metrics_pipeline.lake.lake import Addition, Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.table_spec import TableSpec

# Larger than any payload: a row has to fit into one block of the parser.
_BLOCK_BYTES = 16 << 20
# A client may send one event again with another clock: its id is looked for a day around.
_AROUND = (-1, 0, 1)


@dataclass
class DrainFigures:
    """What one drain did. `dirty_hours` also stand in the commits, for what is built from them."""

    rows: int = 0
    """Events appended."""
    duplicates: int = 0
    """Events left out because the table held their id."""
    rejected: int = 0
    """Refused events, and statuses of nobody's messages, appended to the quarantine."""
    erased: int = 0
    """Events dropped because they belong to people who were erased since they were accepted."""
    content: int = 0
    """Content items whose attributes were given anew."""
    statuses: int = 0
    """Statuses of messages that some workspace's account is told of, repeated ones too; others are refused."""
    commits: int = 0
    """Of events and refused events."""
    dirty_hours: set[Hour] = field(default_factory=set)

    @property
    def dates(self) -> list[date]:
        return sorted({day for day, _ in self.dirty_hours})


def drain(
    inbox: Inbox,
    lake: Lake,
    *,
    chunk: int,
    erased_people: Callable[[], ErasedPeople] = ErasedPeople,
    owners: Callable[[], Owners] = dict,
) -> DrainFigures:
    """Move what is in the inbox into the lake, `chunk` rows a commit.

    What comes in meanwhile is for the next call. `erased_people` says whose events are dropped, `owners` whose accounts
    statuses of messages are about; both are asked for every piece that needs them.

    Raises:
        InboxUnavailableError: the inbox does not answer; what was moved so far is moved.
        CommitFailedError: other writers kept winning; nothing is lost.
    """
    engine = Engine(lake)
    figures = DrainFigures()
    inbox.renew(_done(lake, inbox.uuid))
    after, end = 0, inbox.last_sequence()
    while after < end and (rows := inbox.peek(chunk, after=after)):
        after = rows[-1].sequence
        people = erased_people()
        # before the events: their missing creators are filled in from it
        figures.content += _merge_content(engine, [row for row in rows if row.kind == "content"])
        statuses = [row for row in rows if row.kind == "status"]
        unknown = keep_statuses(engine, statuses, owners()) if statuses else []
        figures.statuses += len(statuses) - len(unknown)
        _append_events(engine, inbox.uuid, after, [row for row in rows if row.kind == "accepted"], people, figures)
        rejected = [row for row in rows if row.kind == "rejected"] + unknown
        _append_rejected(lake, inbox.uuid, after, rejected, people, figures)
        inbox.delete_through(after)
    return figures


def _merge_content(engine: Engine, rows: Sequence[StoredRow]) -> int:
    """Merge attributes, of each item the newest; the same rows again change nothing. Returns how many items."""
    newest: dict[tuple[str, str], tuple[datetime, StoredRow]] = {}
    for row in rows:
        given = json.loads(row.payload)
        key, updated_at = (given["workspace_id"], given["content_id"]), datetime.fromisoformat(given["updated_at"])
        if key not in newest or updated_at >= newest[key][0]:
            newest[key] = (updated_at, row)
    if newest:
        merge_content(engine, read_payloads([row for _, row in newest.values()], CONTENT))
    return len(newest)


def forget_ids(inbox: Inbox, today: date, lateness_days: int) -> int:
    """Forget the event ids that no event in time can have any more; returns how many. Once a day is enough."""
    return inbox.forget_seen(today - timedelta(days=lateness_days + 1))


def _done(lake: Lake, uuid: str) -> int:
    """The last sequence of this inbox that the lake has."""
    tables = (EVENTS.name, REJECTED_EVENTS.name)
    return max(lake.table(name).transaction_version(f"inbox:{uuid}") or 0 for name in tables)


def _append_events(
    engine: Engine, uuid: str, last: int, rows: Sequence[StoredRow], people: ErasedPeople, figures: DrainFigures
) -> None:
    if not rows:
        return
    incoming = _without_erased(to_arrow(rows, EVENTS, "event_ts"), people, figures)
    appended = left_out = 0
    dirty: frozenset[Hour] = frozenset()

    def produce(target: DeltaTable, done: int) -> Addition | None:
        nonlocal appended, left_out, dirty
        fresh = _following(incoming, done)
        new = new_events(engine, target, fresh) if fresh.num_rows else fresh
        appended, left_out, dirty = new.num_rows, fresh.num_rows - new.num_rows, hours_of(new)
        return Addition(new, to_metadata(dirty)) if new.num_rows else None

    version = engine.lake.append_following(EVENTS.name, f"inbox:{uuid}", last, produce)
    figures.duplicates += left_out
    if version is not None:
        figures.rows += appended
        figures.commits += 1
        figures.dirty_hours |= dirty


def _append_rejected(
    lake: Lake, uuid: str, last: int, rows: Sequence[StoredRow], people: ErasedPeople, figures: DrainFigures
) -> None:
    if not rows:
        return
    incoming = _without_erased(to_arrow(rows, REJECTED_EVENTS, "received_at"), people, figures)
    appended = 0

    def produce(_: DeltaTable, done: int) -> Addition | None:
        nonlocal appended
        fresh = _following(incoming, done)
        appended = fresh.num_rows
        return Addition(in_order(fresh, REJECTED_EVENTS)) if appended else None

    if lake.append_following(REJECTED_EVENTS.name, f"inbox:{uuid}", last, produce) is not None:
        figures.rejected += appended
        figures.commits += 1


def new_events(engine: Engine, target: DeltaTable, incoming: pa.Table) -> pa.Table:
    """The rows of `incoming` that this handle of the events table does not hold, each id once, in the table's order.

    A missing creator is filled in from `content`. `incoming` has the table's columns and a distinct `sequence`.
    """
    touched: list[date] = [day for day in pc.unique(incoming.column("date")).to_pylist() if day is not None]
    days = {day + timedelta(days=n) for day in touched for n in _AROUND}
    keys = incoming.select(["workspace_id", "event_id", "content_id", "creator_id", "sequence"])
    with engine.session({"incoming": keys}) as session:
        session.pin(target, EVENTS.name, Partitions(one_of=("date", days)))
        kept = session.run_file("events/following.sql").read_all()
    by_sequence = incoming.sort_by("sequence")
    rows = by_sequence.filter(pc.is_in(by_sequence.column("sequence"), kept.column("sequence")))
    creators = kept.column("creator_id").cast(pa.string())
    filled = rows.set_column(rows.schema.get_field_index("creator_id"), EVENTS.schema.field("creator_id"), creators)
    return in_order(filled, EVENTS)


def to_arrow(rows: Sequence[StoredRow], spec: TableSpec, day_of: str) -> pa.Table:
    """Payloads as rows of a table, in the partition of the UTC day of the instant `day_of`."""
    read = read_payloads(rows, spec)
    numbers = pa.array([row.sequence for row in rows], pa.int64())
    made: dict[str, pa.ChunkedArray[Any]] = {
        "date": read.column(day_of).cast(pa.date32()),
        "sequence": pa.chunked_array([numbers]),
    }
    columns = [made[name] if name in made else read.column(name) for name in spec.schema.names]
    return pa.Table.from_arrays(columns, schema=spec.schema)


def _without_erased(rows: pa.Table, people: ErasedPeople, figures: DrainFigures) -> pa.Table:
    if not people.workspaces() & set(pc.unique(rows.column("workspace_id")).to_pylist()):
        return rows
    who = [rows.column(name).to_pylist() for name in ("workspace_id", "user_id")]
    # a refused event has no column for its session
    sessions = rows.column("session_id").to_pylist() if "session_id" in rows.column_names else [None] * rows.num_rows
    kept = rows.filter(pa.array([person not in people for person in zip(*who, sessions, strict=True)], pa.bool_()))
    figures.erased += rows.num_rows - kept.num_rows
    return kept


def read_payloads(rows: Sequence[StoredRow], spec: TableSpec) -> pa.Table:
    """Payloads as the columns of a table, in the order of their first appearance."""
    return pyarrow.json.read_json(
        io.BytesIO("\n".join(row.payload for row in rows).encode()),
        read_options=pyarrow.json.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=spec.schema, unexpected_field_behavior="ignore"),
    )


def _following(rows: pa.Table, sequence: int) -> pa.Table:
    return rows.filter(pc.greater(rows.column("sequence"), pa.scalar(sequence, pa.int64())))


def in_order(rows: pa.Table, spec: TableSpec) -> pa.Table:
    return rows.sort_by([(column, "ascending") for column in spec.sort_by])
