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
from metrics_pipeline.lake.engine import Engine, conform
from metrics_pipeline.lake.messaging_tables import MESSAGE_STATUSES
from metrics_pipeline.lake.predicates import Partitions

UNKNOWN_ACCOUNT = "unknown_account"
# WhatsApp gives up on a message after 30 days, and hardly any is read later: rows of older days are opened only for
# statuses of messages that are not found in these.
RECENT = timedelta(days=30)
_KEY = list(MESSAGE_STATUSES.keys)


def keep_statuses(engine: Engine, rows: Sequence[StoredRow], owners: Owners, uuid: str) -> list[StoredRow]:
    """Merge statuses into `message_statuses`, for every workspace that has the account; returns the others, refused.

    Raises:
        CommitFailedError: other writers kept winning; nothing is lost by trying again.
    """
    told = [(row, json.loads(row.payload)) for row in rows]
    known = [_row_of(columns, *owner) for _, columns in told for owner in owners.get(columns["external_id"], ())]
    if known:
        incoming = pa.Table.from_pylist(known, schema=MESSAGE_STATUSES.schema)
        merge_statuses(engine, incoming, Transaction(f"inbox:{uuid}", rows[-1].sequence))
    return [_refused(row, columns) for row, columns in told if columns["external_id"] not in owners]


def merge_statuses(engine: Engine, incoming: pa.Table, transaction: Transaction) -> Merged:
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

    return merge_rows(engine, MESSAGE_STATUSES, (), look, transaction)


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


def _row_of(columns: Mapping[str, str | None], workspace_id: str, account_id: str) -> dict[str, object]:
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


def _refused(row: StoredRow, columns: Mapping[str, str | None]) -> StoredRow:
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
