"""Who calls: the key or token of the Authorization header decides the tenant and the rights, nothing else does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from metrics_pipeline.api.problems import Problem, not_found
from metrics_pipeline.clock import Clock
from metrics_pipeline.control.api_key_check import StoredKey, find_key, live_origins, note_use
from metrics_pipeline.control.api_key_text import PREFIX, KeyText, parse_key_text
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.errors import UserError

# How long a revoked key may go on working: the price of not asking the database at every request.
REMEMBER_SECONDS = 5.0
REMEMBERED_KEYS = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key or token it is. Without a workspace: an operator, who sees all of them.

    key_id: of a key its id, of a token a digest of its workspace and subject; neither opens anything or names anybody.
    subject: the end user that a token is about; None for keys. Never to be told to anybody.
    principal_id: whom a key acts for. roles, teams: what a token says of them; None where it says nothing.
    """

    key_id: str
    workspace_id: str | None
    scopes: frozenset[str]
    origins: frozenset[str] = frozenset()
    subject: str | None = field(default=None, repr=False)
    principal_id: str | None = None
    roles: frozenset[str] | None = None
    teams: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Who asked, as runs and logs have it."""
        return f"key {self.key_id}" if self.subject is None else f"user {self.key_id}"

    @property
    def is_browser(self) -> bool:
        """Whether the key is one that everybody can read."""
        return bool(self.origins)

    def require_scope(self, *scopes: str) -> None:
        """Raises Problem 403 where the key has none of them."""
        if self.scopes.isdisjoint(scopes):
            raise Problem(403, "insufficient_scope", f"The key or token lacks the scope {' or '.join(scopes)}.")

    def require_origin(self, origin: str | None) -> None:
        """Raises Problem 403 where a browser's key is used from another page than it is for."""
        if self.is_browser and (origin is None or origin.lower() not in self.origins):
            raise Problem(403, "origin_not_allowed", "This key does not work from this origin.")

    def require_server(self) -> None:
        """Raises Problem 403 for a key that everybody can read."""
        if self.is_browser:
            raise Problem(403, "server_key_required", "Pages may not do this; use a key that stays on a server.")

    def own_workspace(self) -> str:
        """The workspace that what is sent belongs to. Raises Problem 403 for an operator's key."""
        if self.workspace_id is None:
            raise Problem(403, "workspace_required", "An operator's key belongs to no workspace; use a workspace's.")
        return self.workspace_id

    def workspace_for(self, named: str | None) -> str:
        """The workspace that is read: the one named, else the caller's own.

        Raises:
            Problem: 404 for another's, 403 for an operator's key that names none.
        """
        return self.own_workspace() if named is None else self.visible(named)

    def visible(self, workspace_id: str) -> str:
        """The workspace asked for. Raises Problem 404, as for one that does not exist, where it is another's."""
        if self.workspace_id not in (None, workspace_id):
            raise not_found()
        return workspace_id


class Tokens(Protocol):
    """Checks what is no key of ours."""

    async def caller(self, text: str) -> Caller: ...


class Guard:
    """Checks keys, with what the database said remembered for a few seconds. tokens: who checks what is no key."""

    def __init__(
        self, control: Engine, load_ring: Callable[[], KeyRing], clock: Clock, tokens: Tokens | None = None
    ) -> None:
        self._control = control
        self._tokens = tokens
        self._load_ring = load_ring
        self._ring = load_ring()
        self._clock = clock
        self._stored: dict[str, tuple[float, StoredKey | None]] = {}
        self._origins: tuple[float, frozenset[str]] = (float("-inf"), frozenset())
        self._notes: dict[str, asyncio.Task[None]] = {}

    async def caller(self, text: str | None) -> Caller:
        """Who presents this key, or this token.

        Raises:
            Problem: 401, the same for a missing shape, an unknown id, a wrong secret, an ended or a revoked key.
        """
        if not text:
            raise unauthorized("missing_key", "Send a key: Authorization: Bearer mk_...", "")
        if self._tokens is not None and not text.startswith(f"{PREFIX}_"):
            return await self._tokens.caller(text)
        key = parse_key_text(text)
        stored = None if key is None else await self._find(key.key_id)
        if key is None or stored is None or not self._accepts(stored, key):
            raise unauthorized("invalid_key", "The key is not known or not valid any more.", ', error="invalid_token"')
        if stored.needs_note(self._ring, self._clock.now()) and key.key_id not in self._notes:
            self._notes[key.key_id] = asyncio.create_task(self._note(key))
        record = stored.record
        return Caller(
            record.key_id,
            record.workspace_id,
            frozenset(record.scopes),
            frozenset(record.origins),
            principal_id=record.principal_id,
        )

    async def origins(self) -> frozenset[str]:
        """Every origin that some valid browser key names."""
        read_at, origins = self._origins
        if time.monotonic() - read_at > REMEMBER_SECONDS:
            origins = await asyncio.to_thread(live_origins, self._control, self._clock.now())
            self._origins = (time.monotonic(), origins)
        return origins

    async def finish(self) -> None:
        """Wait until what is being written is written."""
        await asyncio.gather(*self._notes.values())

    async def _find(self, key_id: str) -> StoredKey | None:
        now = time.monotonic()
        read_at, stored = self._stored.get(key_id, (float("-inf"), None))
        if now - read_at > REMEMBER_SECONDS:
            stored = await asyncio.to_thread(find_key, self._control, key_id)
            if len(self._stored) >= REMEMBERED_KEYS:
                self._stored.clear()
            self._stored[key_id] = (now, stored)
        return stored

    def _accepts(self, stored: StoredKey, key: KeyText) -> bool:
        now = self._clock.now()
        try:
            return stored.accepts(key, self._ring, now)
        except UserError:
            self._ring = self._load_ring()  # a key was added to the ring since this process started
        try:
            return stored.accepts(key, self._ring, now)
        except UserError as error:
            log.error("key %s cannot be checked: %s", key.key_id, error)
            return False

    async def _note(self, key: KeyText) -> None:
        """A note that fails is tried again at a later request; the request itself does not wait for it."""
        try:
            await asyncio.to_thread(note_use, self._control, self._ring, key, self._clock.now())
        except DBAPIError as error:
            log.warning("the use of key %s could not be noted: %s", key.key_id, type(error).__name__)
        finally:
            self._stored.pop(key.key_id, None)
            self._notes.pop(key.key_id, None)


def unauthorized(code: str, detail: str, challenge: str) -> Problem:
    """A 401; challenge: what follows the realm in WWW-Authenticate."""
    return Problem(401, code, detail, headers={"WWW-Authenticate": f'Bearer realm="metrics-pipeline"{challenge}'})
