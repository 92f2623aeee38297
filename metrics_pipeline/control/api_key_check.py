"""Whether a presented API key is one of ours: what the HTTP interface asks at every request."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select

from metrics_pipeline.control.api_key_text import KeyText
from metrics_pipeline.control.api_keys import ApiKeyRecord, record_of
from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.models import ApiKey, Workspace

# When a key was last used is for people who ask whether it can go: one write per key in this time, not per request.
LAST_USED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored, of a workspace that is not removed."""

    record: ApiKeyRecord
    ring_key_id: str
    digest: bytes = field(repr=False)

    def accepts(self, text: KeyText, ring: KeyRing, now: datetime) -> bool:
        """Whether the secret fits and the key is valid now.

        Raises:
            UserError: the ring does not hold the key that the hash was made with.
        """
        fits = hmac.compare_digest(text.digest(ring, self.ring_key_id), self.digest)
        return fits and self.record.state(now) == "active"

    def needs_note(self, ring: KeyRing, now: datetime) -> bool:
        """Whether its use has to be noted: not lately, or its hash still hangs on an older key of the ring."""
        last = self.record.last_used_at
        return last is None or now - last >= LAST_USED_EVERY or self.ring_key_id != ring.newest[0]


def find_key(engine: Engine, key_id: str) -> StoredKey | None:
    """The stored key of this id, unless its workspace was removed."""
    query = (
        select(ApiKey)
        .outerjoin(Workspace, Workspace.id == ApiKey.workspace_id)
        .where(ApiKey.key_id == key_id, Workspace.removed_at.is_(None))
    )
    with reading(engine) as session:
        row = session.scalars(query).first()
        return None if row is None else StoredKey(record_of(row), row.ring_key_id, row.digest)


def note_use(engine: Engine, ring: KeyRing, text: KeyText, now: datetime) -> None:
    """Remember that a verified key was used, and move its hash under the ring's newest key: only now is it known."""
    newest = ring.newest[0]
    with writing(engine) as session:
        row = session.get(ApiKey, text.key_id, with_for_update=True)
        if row is not None:
            row.last_used_at = now
            row.ring_key_id, row.digest = newest, text.digest(ring, newest)


def live_origins(engine: Engine, now: datetime) -> frozenset[str]:
    """Every origin that some valid browser key names."""
    query = (
        select(ApiKey)
        .join(Workspace, Workspace.id == ApiKey.workspace_id)
        .where(ApiKey.revoked_at.is_(None), Workspace.removed_at.is_(None))
    )
    with reading(engine) as session:
        records = [record_of(row) for row in session.scalars(query)]
    return frozenset(origin for record in records if record.state(now) == "active" for origin in record.origins)


def keys_under_older_ring_keys(engine: Engine, ring: KeyRing, now: datetime) -> int:
    """Valid keys whose hash still needs an older key of the ring: each moves at its next use."""
    query = select(func.count()).select_from(ApiKey)
    query = query.where(ApiKey.revoked_at.is_(None), ApiKey.ring_key_id != ring.newest[0])
    query = query.where((ApiKey.expires_at.is_(None)) | (ApiKey.expires_at > now))
    with reading(engine) as session:
        return int(session.execute(query).scalar_one())
