"""Who acts, with which roles: from a key, from a token, or from the pipeline itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Engine

from metrics_pipeline.control import api_keys
from metrics_pipeline.control.people import ADMIN, DEFINE, PUBLISH, READ, ROLES, find_principal

Kind = Literal["principal", "key", "token", "operator", "cli", "pipeline"]

# What a key may do that acts for nobody.
GRANTED = {api_keys.READ: {READ}, api_keys.DEFINE: {READ, DEFINE}, api_keys.ADMIN: set(ROLES)}
# What a scope leaves of the roles of whoever it acts for: the key of an admin is no admin's key by itself.
CEILING = {api_keys.READ: {READ}, api_keys.DEFINE: {READ, DEFINE, PUBLISH}, api_keys.ADMIN: set(ROLES)}
# What a role is good for beside itself.
IMPLIED = {READ: {READ}, DEFINE: {READ, DEFINE}, PUBLISH: {READ, PUBLISH}, ADMIN: set(ROLES)}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. workspace_id: None for an operator that named none, who can do nothing here.

    principal: whom it acts for; `key:ID` or `token:DIGEST` where that is nobody known, `cli`, `pipeline`.
    """

    workspace_id: str | None
    principal: str
    kind: Kind
    roles: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    key_id: str | None = None

    @property
    def owner(self) -> str:
        """It, as the owner of a metric is written."""
        return f"user:{self.principal}"

    @property
    def sees_all(self) -> bool:
        """Whether every metric of the workspace is there for it."""
        return ADMIN in self.roles or self.kind in ("cli", "pipeline")

    @property
    def may_define(self) -> bool:
        """Whether it may make metrics. An operator reads those of all workspaces and defines none."""
        return DEFINE in self.roles and self.kind != "operator"

    def within(self, workspace_id: str) -> Actor:
        """An operator looking at one workspace; anybody else stays where it is."""
        return replace(self, workspace_id=workspace_id) if self.kind == "operator" else self


def cli_actor(workspace_id: str) -> Actor:
    """The command line: whoever has the database may do everything."""
    return Actor(workspace_id, "cli", "cli", frozenset(ROLES))


def pipeline_actor(workspace_id: str) -> Actor:
    """A run: it reads and calculates everything, and defines nothing."""
    return Actor(workspace_id, "pipeline", "pipeline", frozenset({READ}))


def roles_of(scopes: Collection[str], named: Collection[str] | None) -> frozenset[str]:
    """The roles of a key or token; named: those of whom it acts for, None where that is nobody known.

    Words that are no roles count for nothing, so a token may carry those of other services.
    """
    if named is None:
        return frozenset().union(*(GRANTED.get(scope, set()) for scope in scopes))
    own = frozenset().union(*(IMPLIED.get(role, set()) for role in named))
    return own & frozenset().union(*(CEILING.get(scope, set()) for scope in scopes))


def find_actor(
    control: Engine,
    *,
    workspace_id: str | None,
    key_id: str,
    scopes: Collection[str],
    principal_id: str | None = None,
    subject: str | None = None,
    roles: Collection[str] | None = None,
    teams: Collection[str] = (),
) -> Actor:
    """The actor behind a key (principal_id: whom it acts for) or a token (subject, and its claims).

    A subject that is no registered principal is called by its digest, `key_id`, like everywhere else. Roles of the
    claim and of the registered principal add up; either is bounded by the scopes.
    """
    if workspace_id is None:
        return Actor(None, f"operator:{key_id}", "operator", roles_of(scopes, None), key_id=key_id)
    wanted = subject if subject is not None else principal_id
    found = None if wanted is None else find_principal(control, workspace_id, wanted)
    if principal_id is not None and found is None:  # removed since the key was looked up
        return Actor(workspace_id, principal_id, "principal", key_id=key_id)
    named = None if found is None and roles is None else {*(found.roles if found else ()), *(roles or ())}
    own = roles_of(scopes, named)
    if found is not None:
        return Actor(workspace_id, found.principal_id, "principal", own, frozenset({*found.teams, *teams}), key_id)
    kind: Kind = "key" if subject is None else "token"
    return Actor(workspace_id, f"{kind}:{key_id}", kind, own, frozenset(teams), key_id)
