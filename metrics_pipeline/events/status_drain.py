"""Statuses of messages out of the inbox: to whom they belong, and into one row per message.

Whose a status is, is decided here and not when it is taken: that needs no more than the inbox, so Meta gets its answer
while the control database is away, and a workspace that registers its account a moment later still gets it.

A row is what its statuses say together: of each status the earliest instant. That does not depend on their order, and
the same ones again change nothing, so a piece that is merged twice counts once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable, Transaction

from metrics_pipeline.control.account_owners import Owners
from metrics_pipeline.events.inbox import StoredRow
from metrics_pipeline.events.recipients import within
from metrics_pipeline.lake.day_merge import Merged, merge_rows
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.event_tables import REJECTED_EVENTS
from metrics_pipeline.lake.messaging_tables import MESSAGE_STATUSES
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter, conform
from metrics_pipeline.windows import DAY

Columns = Mapping[str, str | None]
UNKNOWN_ACCOUNT = "unknown_account"
# WhatsApp gives up on a message after 30 days, and hardly any is read later: rows of older days are opened only for
# statuses of messages that are not found in these.
RECENT = timedelta(days=30)
# Whoever writes the table excludes the others by it; its version means nothing.
_ONE_WRITER = Transaction("message_statuses", 0)
_ADOPTED_AT_ONCE = 50_000
_KEY = list(MESSAGE_STATUSES.keys)


def keep_statuses(engine: Engine, rows: Sequence[StoredRow], owners: Owners) -> list[StoredRow]:
    """Merge statuses into `message_statuses`, for every workspace that has the account; returns the others, refused.

    Raises:
        CommitFailedError: other writers kept winning; nothing is lost by trying again.
    """
    told = [(row, json.loads(row.payload)) for row in rows]
    _merge(engine, [columns for _, columns in told], owners)
    return [_refused(row, columns) for row, columns in told if columns["external_id"] not in owners]


def adopt_statuses(engine: Engine, owners: Owners) -> int:
    """Merge statuses out of quarantine whose account somebody has by now; returns how many days of messages changed.

    They stay in quarantine as well, until they expire: merging them again changes nothing.

    Raises:
        CommitFailedError: other writers kept winning; nothing is lost by trying again.
    """
    if not owners:
        return 0
    changed: set[date] = set()
    owned = {"owned": pa.table({"external_id": pa.array(sorted(owners), pa.string())})}
    for day in sorted(engine.lake.rows_per_day(REJECTED_EVENTS.name, date.min, date.max)):
        asked: dict[str, Parameter] = {"code": UNKNOWN_ACCOUNT, "day": day}
        with engine.session(owned, days={REJECTED_EVENTS.name: (day, day + DAY)}) as session:
            payloads = session.run_file("events/unowned_statuses.sql", asked).read_all()["payload"]
        for start in range(0, len(payloads), _ADOPTED_AT_ONCE):
            told = [json.loads(str(payload)) for payload in payloads.slice(start, _ADOPTED_AT_ONCE).to_pylist()]
            changed.update(_merge(engine, told, owners))
    return len(changed)


def _merge(engine: Engine, told: Sequence[Columns], owners: Owners) -> tuple[date, ...]:
    """Merge those that have owners; returns the days that differ now."""
    rows = [_row_of(columns, *owner) for columns in told for owner in owners.get(str(columns["external_id"]), ())]
    if not rows:
        return ()
    return merge_statuses(engine, pa.Table.from_pylist(rows, schema=MESSAGE_STATUSES.schema)).changed


def merge_statuses(engine: Engine, incoming: pa.Table) -> Merged:
    """Merge rows of the table that know one instant or more of a message, several of one message too."""

    def look(file: Path, target: DeltaTable) -> Partitions:
        touched = _days(incoming)
        days = {date.fromisoformat(partition["date"]) for partition in target.partitions()}
        recent = {day for day in days if day >= min(touched) - RECENT}
        existing = _existing(engine, target, incoming, recent)
        elsewhere = _existing(engine, target, _unfound(incoming, existing), days - recent)
        with engine.session({"existing": pa.concat_tables([existing, elsewhere]), "incoming": incoming}) as session:
            merged = conform(session.run_file("merge/message_statuses.sql"), MESSAGE_STATUSES)
        pq.write_table(merged, file)
        return Partitions(one_of=("date", touched | recent | _days(elsewhere)))

    return merge_rows(engine, MESSAGE_STATUSES, (), look, _ONE_WRITER)


def _existing(engine: Engine, target: DeltaTable, incoming: pa.Table, days: set[date]) -> pa.Table:
    """The rows of these messages that stand in some days."""
    if not days or not incoming.num_rows:
        return MESSAGE_STATUSES.schema.empty_table()
    with engine.session({"incoming": incoming.select(_KEY)}) as session:
        session.pin(target, MESSAGE_STATUSES.name, Partitions(one_of=("date", days)))
        return conform(session.run_file("events/known_messages.sql"), MESSAGE_STATUSES)


def _days(rows: pa.Table) -> set[date]:
    return {day for day in pc.unique(rows["date"]).to_pylist() if isinstance(day, date)}


def _unfound(incoming: pa.Table, existing: pa.Table) -> pa.Table:
    """What may belong to a message of long ago: nothing is told of one before it was sent."""
    late = incoming.filter(pc.is_null(incoming["sent_at"])).select(_KEY)
    return late.join(existing.select(_KEY), keys=_KEY, join_type="left anti") if late.num_rows else late


def _row_of(columns: Columns, workspace_id: str, account_id: str) -> dict[str, object]:
    at, recipient = datetime.fromisoformat(str(columns["at"])), columns["recipient"]
    return {
        "workspace_id": workspace_id,
        "platform": columns["platform"],
        "date": at.date(),
        "account_id": account_id,
        "message_id": columns["message_id"],
        "recipient_hash": within(workspace_id, recipient) if recipient else None,
        "status": columns["status"],
        f"{columns['status']}_at": at,
        "error_code": columns["error_code"],
        "pricing_category": columns["pricing_category"],
        "received_at": datetime.fromisoformat(str(columns["received_at"])),
    }


def _refused(row: StoredRow, columns: Columns) -> StoredRow:
    """A status of an account that no workspace has, for the quarantine: nobody can ask for it again."""
    received_at = str(columns["received_at"])
    refused = {
        "workspace_id": None,
        "received_at": received_at,
        "event_id": columns["message_id"],
        "code": UNKNOWN_ACCOUNT,
        "detail": f"no workspace has this {columns['platform']} account, or only ones that disabled it",
        "pointer": "",
        "payload": json.dumps(columns),
        "origin": "webhook",
    }
    return StoredRow(row.sequence, "rejected", json.dumps(refused))
