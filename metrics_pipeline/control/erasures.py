"""Requests to forget a person, and the proof that it was done.

From the request on events of the person are refused, for good. The identifier itself is kept sealed until it has
been carried out; after that only digests are left, which name nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine, delete, select

from metrics_pipeline.control.credentials import Sealed, seal, unseal
from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.erased_people import digest_of
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.models import ErasedPerson, Erasure
from metrics_pipeline.control.workspaces import require_workspace
from metrics_pipeline.errors import UserError

# Nothing happened yet; every row is gone, files that nothing names have to become old enough; done.
REQUESTED, SWEEPING, COMPLETED = "requested", "sweeping", "completed"


@dataclass(frozen=True)
class ErasureRecord:
    """One erasure; it never names the person."""

    erasure_id: str
    workspace_id: str
    state: str
    requested_by: str | None
    requested_at: datetime
    erased_at: datetime | None
    completed_at: datetime | None
    proof: Mapping[str, object]

    def summary(self) -> dict[str, object]:
        """What may be told of it, for an answer or a file: state, times and proof."""
        times = {"requested_at": self.requested_at, "erased_at": self.erased_at, "completed_at": self.completed_at}
        return {
            "erasure_id": self.erasure_id,
            "workspace_id": self.workspace_id,
            "state": self.state,
            **{name: at.isoformat() if at else None for name, at in times.items()},
            "proof": dict(self.proof),
        }


@dataclass(frozen=True)
class PersonToErase:
    """One erasure that waits to be carried out."""

    erasure_id: str
    workspace_id: str
    user_id: str = field(repr=False)


def request_erasure(
    engine: Engine, ring: KeyRing, workspace_id: str, user_id: str, *, now: datetime, requested_by: str | None = None
) -> ErasureRecord:
    """Ask for a person to be erased; events of that person are refused from now on.

    Where the same person's erasure still waits, that one is returned.

    Raises:
        UserError: there is no such workspace, or no user is named.
    """
    if not user_id:
        raise UserError("Name the person to be erased: the user id that events carry.")
    key_id, _ = ring.newest
    digest = digest_of(ring, key_id, workspace_id, f"u{user_id}")
    erasure_id = f"era-{secrets.token_hex(8)}"
    sealed = seal(ring, workspace_id, erasure_id, user_id)
    with writing(engine) as session:
        require_workspace(session, workspace_id)
        same = select(Erasure).where(
            Erasure.workspace_id == workspace_id, Erasure.digest == digest, Erasure.state == REQUESTED
        )
        if (waiting := session.scalars(same).first()) is not None:
            return _record(waiting)
        row = Erasure(
            id=erasure_id,
            workspace_id=workspace_id,
            ring_key_id=key_id,
            digest=digest,
            wrapped_key=sealed.wrapped_key,
            ciphertext=sealed.ciphertext,
            state=REQUESTED,
            requested_by=requested_by,
            requested_at=now,
            proof={},
        )
        session.add(row)
        session.flush()
        _refuse(session.add, row, [digest])
        return _record(row)


def people_to_erase(engine: Engine, ring: KeyRing) -> list[PersonToErase]:
    """Whose erasures wait, oldest first.

    Raises:
        UserError: the ring lost the key that an identifier is sealed with.
    """
    waiting = select(Erasure).where(Erasure.state == REQUESTED).order_by(Erasure.requested_at, Erasure.id)
    with reading(engine) as session:
        return [
            PersonToErase(row.id, row.workspace_id, unseal(ring, row.workspace_id, row.id, _sealed(row)))
            for row in session.scalars(waiting)
        ]


def refuse_sessions(engine: Engine, ring: KeyRing, erasure_id: str, sessions: Iterable[str]) -> None:
    """Also refuse what comes without a name from these sessions of an erased person."""
    with writing(engine) as session:
        row = session.get_one(Erasure, erasure_id)
        digests = {digest_of(ring, row.ring_key_id, row.workspace_id, f"s{name}") for name in sessions}
        known = set(session.scalars(select(ErasedPerson.digest).where(ErasedPerson.erasure_id == erasure_id)))
        _refuse(session.add, row, sorted(digests - known))


def note_erased(engine: Engine, erasure_id: str, proof: Mapping[str, object], *, now: datetime) -> None:
    """Note that every row is gone, and forget the identifier."""
    with writing(engine) as session:
        row = session.get_one(Erasure, erasure_id, with_for_update=True)
        row.state, row.erased_at, row.proof = SWEEPING, now, dict(proof)
        row.wrapped_key = row.ciphertext = None


def note_completed(engine: Engine, *, now: datetime) -> list[str]:
    """Note that nothing is left of those whose rows are gone; returns their ids."""
    with writing(engine) as session:
        rows = session.scalars(select(Erasure).where(Erasure.state == SWEEPING).with_for_update()).all()
        for row in rows:
            row.state, row.completed_at = COMPLETED, now
        return [row.id for row in rows]


def list_erasures(engine: Engine, workspace_id: str | None = None) -> list[ErasureRecord]:
    """All erasures, newest first; of one workspace if named."""
    query = select(Erasure).order_by(Erasure.requested_at.desc(), Erasure.id)
    if workspace_id is not None:
        query = query.where(Erasure.workspace_id == workspace_id)
    with reading(engine) as session:
        return [_record(row) for row in session.scalars(query)]


def unfinished_erasures(engine: Engine) -> bool:
    """Whether any erasure waits for something."""
    with reading(engine) as session:
        return session.scalars(select(Erasure.id).where(Erasure.state != COMPLETED).limit(1)).first() is not None


def get_erasure(engine: Engine, erasure_id: str) -> ErasureRecord:
    """One erasure.

    Raises:
        UserError: there is none of this id.
    """
    with reading(engine) as session:
        row = session.get(Erasure, erasure_id)
        if row is None:
            raise UserError(f"There is no erasure {erasure_id[:80]!r}; see: metrics-pipeline erasure list")
        return _record(row)


def allow_return(engine: Engine, ring: KeyRing, workspace_id: str, user_id: str) -> int:
    """Take events of an erased person again: somebody who came back. What was erased stays so.

    Returns how many marks were lifted.

    Raises:
        UserError: the person was not erased, or the erasure still waits.
    """
    with writing(engine) as session:
        rows = session.scalars(select(Erasure).where(Erasure.workspace_id == workspace_id)).all()
        mine = [row for row in rows if row.digest == digest_of(ring, row.ring_key_id, workspace_id, f"u{user_id}")]
        if not mine:
            raise UserError(f"No person of that id was erased from workspace {workspace_id[:80]}.")
        if any(row.state == REQUESTED for row in mine):
            raise UserError("The erasure of that person still waits; carry it out first: metrics-pipeline erasure run")
        lifted = 0
        for row in mine:
            marks = session.scalars(select(ErasedPerson).where(ErasedPerson.erasure_id == row.id)).all()
            lifted += len(marks)
            session.execute(delete(ErasedPerson).where(ErasedPerson.erasure_id == row.id))
        return lifted


def _refuse(add: Callable[[ErasedPerson], None], row: Erasure, digests: Iterable[bytes]) -> None:
    for digest in digests:
        add(ErasedPerson(erasure_id=row.id, workspace_id=row.workspace_id, ring_key_id=row.ring_key_id, digest=digest))


def _sealed(row: Erasure) -> Sealed:
    return Sealed(row.ring_key_id, row.wrapped_key or b"", row.ciphertext or b"")


def _record(row: Erasure) -> ErasureRecord:
    return ErasureRecord(
        erasure_id=row.id,
        workspace_id=row.workspace_id,
        state=row.state,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        erased_at=row.erased_at,
        completed_at=row.completed_at,
        proof=row.proof,
    )
