"""Who was erased, known again without being known: digests under a pepper that follows from the key ring."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine, func, select

from metrics_pipeline.control.database import reading
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.models import ErasedPerson

DIGEST_BYTES = 16
_PURPOSE = b"metrics-pipeline erased people v1"


def digest_of(ring: KeyRing, ring_key_id: str, workspace_id: str, viewer: str) -> bytes:
    """The digest of a viewer: `u` and the user id, or `s` and the session id.

    Raises:
        UserError: the ring does not hold that key.
    """
    return _digest(_pepper(ring, ring_key_id), workspace_id, viewer)


def viewer_of(user_id: str | None, session_id: str | None) -> str | None:
    """The text that is digested: the person, else the session; None where an event names neither."""
    if user_id:
        return f"u{user_id}"
    return f"s{session_id}" if session_id else None


@dataclass(frozen=True)
class ErasedPeople:
    """Everybody erased, at one moment."""

    peppers: dict[str, bytes] = field(default_factory=dict, repr=False)
    digests: dict[str, dict[str, frozenset[bytes]]] = field(default_factory=dict, repr=False)
    """By workspace, and within by ring key."""

    def __contains__(self, who: tuple[str, str | None, str | None]) -> bool:
        """Whether the person of (workspace, user id, session id), else the session, was erased."""
        workspace_id, user_id, session_id = who
        known = self.digests.get(workspace_id)
        if known is None:
            return False
        viewer = viewer_of(user_id, session_id)
        if viewer is None:
            return False
        return any(_digest(self.peppers[key], workspace_id, viewer) in found for key, found in known.items())

    def workspaces(self) -> frozenset[str]:
        """The workspaces that anybody was erased from."""
        return frozenset(self.digests)

    @classmethod
    def read(cls, control: Engine, ring: KeyRing) -> ErasedPeople:
        """Everybody erased so far.

        Raises:
            UserError: the ring lost a key that digests were made with.
        """
        columns = (ErasedPerson.workspace_id, ErasedPerson.ring_key_id, ErasedPerson.digest)
        with reading(control) as session:
            rows = session.execute(select(*columns)).all()
        found: defaultdict[str, defaultdict[str, set[bytes]]] = defaultdict(lambda: defaultdict(set))
        for workspace_id, ring_key_id, digest in rows:
            found[workspace_id][ring_key_id].add(digest)
        peppers = {key: _pepper(ring, key) for by_key in found.values() for key in by_key}
        return cls(peppers, {w: {key: frozenset(d) for key, d in by_key.items()} for w, by_key in found.items()})


@dataclass
class ErasedPeopleReader:
    """Reads anew only when somebody was added or allowed to return."""

    control: Engine
    load_ring: Callable[[], KeyRing]
    _generation: tuple[int, int] = (0, 0)
    _people: ErasedPeople = field(default_factory=ErasedPeople)

    def read(self) -> ErasedPeople:
        """Everybody erased up to now.

        Raises:
            UserError: the ring lost a key.
            DBAPIError: the control database does not answer.
        """
        query = select(func.count(), func.coalesce(func.max(ErasedPerson.number), 0))
        with reading(self.control) as session:
            count, last = session.execute(query.select_from(ErasedPerson)).one()
        if (count, last) != self._generation:
            self._people = ErasedPeople.read(self.control, self.load_ring())
            self._generation = (count, last)
        return self._people


def _pepper(ring: KeyRing, ring_key_id: str) -> bytes:
    return hmac.digest(ring.key(ring_key_id), _PURPOSE, hashlib.sha256)


def _digest(pepper: bytes, workspace_id: str, viewer: str) -> bytes:
    return hashlib.blake2b(f"{workspace_id}\x1f{viewer}".encode(), digest_size=DIGEST_BYTES, key=pepper).digest()
