"""API keys: made, listed, rotated, revoked. Whether one is valid is decided in `api_key_check`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from metrics_pipeline.control.api_key_text import KeyText, new_key_text
from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.identifiers import NAME_LENGTH
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.models import ApiKey
from metrics_pipeline.control.origins import checked_origins
from metrics_pipeline.control.people import require_principal
from metrics_pipeline.control.workspaces import require_workspace
from metrics_pipeline.errors import UserError

READ, INGEST, DEFINE, ADMIN = "read", "ingest", "define", "admin"
SCOPES = (READ, INGEST, DEFINE, ADMIN)


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """One key without its secret. `workspace_id` is None for an operator's, `origins` are a browser key's.

    principal_id: whom of the workspace it acts for.
    """

    key_id: str
    workspace_id: str | None
    label: str | None
    scopes: tuple[str, ...]
    origins: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    rotated_from: str | None = None
    principal_id: str | None = None

    def state(self, now: datetime) -> str:
        """active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


@dataclass(frozen=True, slots=True)
class Rights:
    """What a new key may do. No workspace: an operator's; with origins: a browser's, which may only send events.

    principal_id: whom it acts for; what that one may not do, the key may not either.
    """

    workspace_id: str | None
    scopes: Collection[str]
    origins: Collection[str] = ()
    label: str | None = None
    principal_id: str | None = None

    def checked(self) -> Rights:
        """The same in canonical form.

        Raises:
            UserError: they contradict each other or name what does not exist.
        """
        unknown = sorted(set(self.scopes) - set(SCOPES))
        if unknown:
            raise UserError(f"There is no scope {unknown[0][:40]!r}; use {', '.join(SCOPES)}.")
        scopes = tuple(scope for scope in SCOPES if scope in self.scopes)
        if not scopes:
            raise UserError(f"A key needs at least one --scope: {', '.join(SCOPES)}.")
        if self.workspace_id is None and INGEST in scopes:
            raise UserError("Events belong to a workspace: an operator's key cannot have the scope ingest.")
        if self.origins and (scopes != (INGEST,) or self.workspace_id is None):
            raise UserError(
                "A browser's key is readable by everyone: it is a workspace's and has the scope ingest only."
            )
        if self.principal_id is not None and (self.workspace_id is None or self.origins):
            raise UserError("Only a workspace's server key acts for a principal; leave --principal out.")
        label = self.label.strip() if self.label is not None else ""
        if len(label) > NAME_LENGTH or not label.isprintable():
            raise UserError(f"A label has at most {NAME_LENGTH} printable characters.")
        return Rights(self.workspace_id, scopes, checked_origins(self.origins), label or None, self.principal_id)


def create_key(
    engine: Engine, ring: KeyRing, rights: Rights, *, now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKeyRecord, KeyText]:
    """Make a key. Its text is not stored: it is shown now or never.

    Raises:
        UserError: the rights cannot be given, the workspace does not exist, or the end lies in the past.
    """
    rights = rights.checked()
    if expires_at is not None and expires_at <= now:
        raise UserError("A key cannot end before it begins; choose a later end.")
    with writing(engine) as session:
        if rights.workspace_id is not None:
            require_workspace(session, rights.workspace_id)
            if rights.principal_id is not None:
                require_principal(session, rights.workspace_id, rights.principal_id)
        return _add(session, ring, rights, now, expires_at)


def list_keys(engine: Engine, workspace_id: str | None = None, *, include_revoked: bool = False) -> list[ApiKeyRecord]:
    """Keys by age, oldest first: of one workspace, or all."""
    query = select(ApiKey).order_by(ApiKey.created_at, ApiKey.key_id)
    if workspace_id is not None:
        query = query.where(ApiKey.workspace_id == workspace_id)
    if not include_revoked:
        query = query.where(ApiKey.revoked_at.is_(None))
    with reading(engine) as session:
        return [record_of(row) for row in session.scalars(query)]


def rotate_key(
    engine: Engine, ring: KeyRing, key_id: str, *, overlap: timedelta, now: datetime
) -> tuple[ApiKeyRecord, KeyText]:
    """A new key with the same rights and the same length of life; the old one ends after the overlap.

    Raises:
        UserError: there is no such key, or it is not valid any more.
    """
    with writing(engine) as session:
        row = _existing(session, key_id)
        state = record_of(row).state(now)
        if state != "active":
            raise UserError(f"Key {key_id} is {state}; make a new one with: metrics-pipeline key create")
        if row.workspace_id is not None:
            require_workspace(session, row.workspace_id)
        expires_at = None if row.expires_at is None else now + (row.expires_at - row.created_at)
        ends = now + overlap
        row.expires_at = ends if row.expires_at is None else min(row.expires_at, ends)
        rights = Rights(row.workspace_id, row.scopes, row.origins, row.label, row.principal_id).checked()
        return _add(session, ring, rights, now, expires_at, rotated_from=key_id)


def revoke_key(engine: Engine, key_id: str, *, now: datetime) -> ApiKeyRecord:
    """End a key for good; doing so again changes nothing.

    Raises:
        UserError: there is no such key.
    """
    with writing(engine) as session:
        row = _existing(session, key_id)
        row.revoked_at = row.revoked_at or now
        return record_of(row)


def record_of(row: ApiKey) -> ApiKeyRecord:
    """The part of a stored key that may be shown."""
    return ApiKeyRecord(
        key_id=row.key_id,
        workspace_id=row.workspace_id,
        label=row.label,
        scopes=tuple(row.scopes),
        origins=tuple(row.origins),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        rotated_from=row.rotated_from,
        principal_id=row.principal_id,
    )


def _add(
    session: Session,
    ring: KeyRing,
    rights: Rights,
    now: datetime,
    expires_at: datetime | None,
    rotated_from: str | None = None,
) -> tuple[ApiKeyRecord, KeyText]:
    text = new_key_text()
    ring_key_id = ring.newest[0]
    row = ApiKey(
        key_id=text.key_id,
        workspace_id=rights.workspace_id,
        label=rights.label,
        scopes=list(rights.scopes),
        origins=list(rights.origins),
        ring_key_id=ring_key_id,
        digest=text.digest(ring, ring_key_id),
        created_at=now,
        expires_at=expires_at,
        rotated_from=rotated_from,
        principal_id=rights.principal_id,
    )
    session.add(row)
    session.flush()
    return record_of(row), text


def _existing(session: Session, key_id: str) -> ApiKey:
    row = session.get(ApiKey, key_id, with_for_update=True)
    if row is None:
        # cut short: whoever pastes a whole key here must not find its secret in a log
        raise UserError(f"There is no key {key_id[:10]!r}; see: metrics-pipeline key list")
    return row
