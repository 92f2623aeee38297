"""Taking persons out of everything that events pass through: the inbox, quarantine, raw and person-level tables.

What comes anonymously from a session in which the person was signed in is the person's as well.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from metrics_pipeline.control.erasures import PersonToErase
from metrics_pipeline.events.dirty import hours_of, to_metadata
from metrics_pipeline.events.inbox import Inbox, StoredRow
from metrics_pipeline.events.model import viewer_hash
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.people import count_rows, tables_with_people, take_out

_CHUNK = 10_000
_ERASED: Mapping[str, pa.DataType] = {
    "erasure_id": pa.string(),
    "workspace_id": pa.string(),
    "viewer_hash": pa.int64(),
    "user_id": pa.string(),
    "quoted": pa.string(),
}

Sessions = Mapping[str, frozenset[str]]
"""The sessions of each erasure's person."""


@dataclass
class Erased:
    """What was taken out, by erasure: rows by table, the inbox under `event_inbox`."""

    rows: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def sessions_of(engine: Engine, inbox: Inbox, people: Sequence[PersonToErase]) -> Sessions:
    """The sessions that events of these people name."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    rows = engine.query("erasure/sessions.sql", relations={"erased": erased_table(people, {})})
    for row in rows.to_pylist():
        found[row["erasure_id"]].add(row["session_id"])
    by_person = {(person.workspace_id, person.user_id): person.erasure_id for person in people}
    for waiting in _waiting(inbox):
        columns = json.loads(waiting.payload)
        erasure_id = by_person.get((columns.get("workspace_id"), columns.get("user_id")))
        if erasure_id is not None and waiting.kind == "accepted":
            found[erasure_id].add(columns["session_id"])
    return {person.erasure_id: frozenset(found[person.erasure_id]) for person in people}


def erase(engine: Engine, inbox: Inbox, people: Sequence[PersonToErase], sessions: Sessions, done: Erased) -> None:
    """Take these people and their sessions out of the inbox and the lake, and add what went to `done`.

    Doing it again does what was left undone.

    Raises:
        InboxUnavailableError, CommitFailedError: as they say; nothing is lost by trying again.
    """
    erased = erased_table(people, sessions)
    # anonymous rows first: a crash then leaves the rows by which their sessions are found again
    for rows_of in (erased.filter(pc.is_null(erased["user_id"])), erased):
        for spec in tables_with_people():
            taken = take_out(engine, spec, rows_of, lambda gone: _forget(inbox, gone))
            for erasure_id, rows in taken.items():
                done.rows[erasure_id][spec.name] += rows
    _erase_from_inbox(inbox, people, sessions, done)
    inbox.scrub()


def _forget(inbox: Inbox, gone: pa.Table) -> Mapping[str, str]:
    """Forget the ids of events that are about to go; what the commit says of them.

    Before the commit: after it, nobody could tell any more which ids they had.
    """
    if "event_ts" not in gone.column_names:
        return {}
    ids = gone.select(["workspace_id", "event_id"]).to_pylist()
    inbox.forget_ids([(row["workspace_id"], row["event_id"]) for row in ids])
    # what is counted from events finds these hours in the commit
    return to_metadata(hours_of(gone))


def rows_left(engine: Engine, people: Sequence[PersonToErase], sessions: Sessions) -> int:
    """Rows of these people in the tables' present versions."""
    erased = erased_table(people, sessions)
    return sum(count_rows(engine, spec, erased) for spec in tables_with_people())


def erased_table(people: Sequence[PersonToErase], sessions: Sessions) -> pa.Table:
    """The people as the tables know them: one row per person and one per session, see lake/people.py."""
    rows: list[dict[str, str | int | None]] = []
    for person in people:
        mine = {"erasure_id": person.erasure_id, "workspace_id": person.workspace_id}
        viewer = viewer_hash(person.workspace_id, person.user_id, "")
        rows.append({**mine, "viewer_hash": viewer, "user_id": person.user_id, "quoted": _quoted(person.user_id)})
        for session_id in sorted(sessions.get(person.erasure_id, ())):
            anonymous = viewer_hash(person.workspace_id, None, session_id)
            rows.append({**mine, "viewer_hash": anonymous, "user_id": None, "quoted": _quoted(session_id)})
    return pa.Table.from_pylist(rows, schema=pa.schema(_ERASED))


def _erase_from_inbox(inbox: Inbox, people: Sequence[PersonToErase], sessions: Sessions, done: Erased) -> None:
    by_workspace: defaultdict[str, list[PersonToErase]] = defaultdict(list)
    for person in people:
        by_workspace[person.workspace_id].append(person)
    sequences, ids = [], []
    for row in _waiting(inbox):
        columns = json.loads(row.payload)
        workspace_id = columns.get("workspace_id")
        owner = next(
            (p for p in by_workspace.get(workspace_id, ()) if _is_of(row, columns, p, sessions[p.erasure_id])), None
        )
        if owner is not None:
            sequences.append(row.sequence)
            done.rows[owner.erasure_id]["event_inbox"] += 1
            if row.kind == "accepted":
                ids.append((workspace_id, columns["event_id"]))
    inbox.forget_ids(ids)  # first: a crash in between leaves the rows, by which the ids are found again
    inbox.remove(sequences)


def _is_of(row: StoredRow, columns: Mapping[str, object], person: PersonToErase, sessions: frozenset[str]) -> bool:
    user_id = columns.get("user_id")
    if user_id == person.user_id:
        return True
    if row.kind == "accepted":
        return user_id is None and columns.get("session_id") in sessions
    sent = str(columns.get("payload") or "")
    return any(_quoted(name) in sent for name in (person.user_id, *sessions))


def _quoted(name: str) -> str:
    """As a value in JSON."""
    return json.dumps(name, ensure_ascii=False)


def _waiting(inbox: Inbox) -> Iterator[StoredRow]:
    after = 0
    while rows := inbox.peek(_CHUNK, after=after):
        after = rows[-1].sequence
        yield from rows
