"""Who sees a metric, who changes it, and which metrics one may be made of. Pure rules, on definitions alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from metrics_pipeline.control.people import PUBLISH, READ
from metrics_pipeline.custom_metrics.model import VISIBILITIES, Definition, Visibility, document_of
from metrics_pipeline.custom_metrics.registry.actors import Actor

# What says how a number is made, beside what it is made of.
FORMULAS = ("expr", "filter", "filters")
WIDE: tuple[Visibility, ...] = ("organization", "public")

IsMember = Callable[[str, str], bool]
"""Whether a principal, by id, is in a team, by id."""


@dataclass(frozen=True, slots=True)
class Access:
    """Whose a metric is and who sees it. owner: `user:ID` or `team:ID`."""

    owner: str
    visibility: Visibility

    @classmethod
    def of(cls, definition: Definition) -> Access:
        """Of a definition that has an owner, as every stored one."""
        assert definition.owner is not None  # noqa: S101 - for the type checker; it is filled in before
        return cls(definition.owner, definition.visibility)

    @property
    def rank(self) -> int:
        """0 for the narrowest."""
        return VISIBILITIES.index(self.visibility)

    @property
    def team(self) -> str | None:
        """The team that owns it."""
        kind, _, owner = self.owner.partition(":")
        return owner if kind == "team" else None


def is_own(actor: Actor, access: Access) -> bool:
    """Whether it belongs to whoever acts, or to one of its teams."""
    return access.owner == actor.owner or access.team in actor.teams


def may_see(actor: Actor, access: Access) -> bool:
    """Whether it is there for whoever acts: public for everybody of the workspace, all others for readers alone."""
    if actor.sees_all or access.visibility == "public":
        return True
    return READ in actor.roles and (access.visibility == "organization" or is_own(actor, access))


def may_change(actor: Actor, access: Access) -> bool:
    """Whether it may be changed, archived, and its audit read."""
    return actor.may_define and may_inspect(actor, access)


def may_inspect(actor: Actor, access: Access) -> bool:
    """Whether its audit, and of a public metric its formulas, may be read."""
    return actor.sees_all or (READ in actor.roles and is_own(actor, access))


def may_publish(actor: Actor, visibility: Visibility, before: Visibility | None) -> bool:
    """Whether it may be made so visible: everything beyond a team needs a role, unless it was that visible before."""
    was = -1 if before is None else VISIBILITIES.index(before)
    return visibility not in WIDE or VISIBILITIES.index(visibility) <= was or PUBLISH in actor.roles


def covers(used: Access, user: Access, is_member: IsMember) -> bool:
    """Whether everybody who sees a metric also sees what it is made of."""
    if used.rank < user.rank:
        return False
    if used.visibility in WIDE or used.owner == user.owner:
        return True
    # A team's metric in somebody's private one: while that person is in the team.
    return used.team is not None and user.team is None and is_member(user.owner.partition(":")[2], used.team)


def narrowest(actor: Actor, owner: str) -> Visibility:
    """What a new metric is that says nothing of its visibility."""
    if may_publish(actor, "organization", None):
        return "organization"
    return "team" if owner.startswith("team:") else "private"


def shown_document(actor: Actor, definition: Definition) -> tuple[dict[str, object], bool]:
    """The definition as whoever acts may read it, and whether that is all of it: formulas of public ones are not."""
    document = document_of(definition)
    if definition.visibility != "public" or may_inspect(actor, Access.of(definition)):
        return document, True
    return {key: _without_formulas(value) for key, value in document.items() if key not in FORMULAS}, False


def _without_formulas(value: object) -> object:
    if isinstance(value, dict):
        return {key: inner for key, inner in value.items() if key not in FORMULAS}
    return [_without_formulas(entry) for entry in value] if isinstance(value, list) else value
