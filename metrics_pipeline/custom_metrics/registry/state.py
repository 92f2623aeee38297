"""The metrics of a workspace as they stand, and what becomes of one: decided with before anything is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from metrics_pipeline.custom_metrics.model import PRESENTATION, Definition, document_of
from metrics_pipeline.custom_metrics.registry.access import Access
from metrics_pipeline.custom_metrics.versions import MetricVersion

What = Literal["created", "updated", "refreshed", "presented", "activated", "archived", "restored"]


@dataclass(frozen=True, slots=True)
class Stored:
    """A metric that exists. version: the one in force last; newest: the highest number that was ever given.

    revision: counts every change, of what is only shown as well.
    """

    version: MetricVersion
    revision: int
    newest: int

    @property
    def definition(self) -> Definition:
        return self.version.definition

    @property
    def metric_id(self) -> str:
        return self.version.metric_id

    @property
    def access(self) -> Access:
        return Access.of(self.definition)


@dataclass(frozen=True, slots=True)
class State:
    """All metrics of a workspace: live ones by name, archived ones by id, oldest first; who is in which team."""

    workspace_id: str
    live: Mapping[str, Stored]
    archived: Mapping[str, Stored]
    members: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    teams: frozenset[str] = field(default_factory=frozenset)

    def find(self, reference: str) -> Stored | None:
        """By name a live one, by id any."""
        if reference in self.live:
            return self.live[reference]
        by_id = (stored for stored in self.live.values() if stored.metric_id == reference)
        return self.archived.get(reference) or next(by_id, None)


@dataclass(frozen=True, slots=True)
class Target:
    """What a metric shall be: owner, visibility and status are filled in. pointer: where its document stands.

    stored: what it is now, None for a new one. pinned: an earlier version that comes into force again. is_restored:
    it was archived.
    """

    definition: Definition
    stored: Stored | None
    metric_id: str
    pointer: str = ""
    pinned: MetricVersion | None = None
    is_restored: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one metric. version: in force afterwards; is_version: a new one. note: why, if not asked for."""

    what: What
    version: MetricVersion
    stored: Stored | None
    is_version: bool = False
    note: str | None = None
    pointer: str | None = None

    @property
    def comes_into_force(self) -> bool:
        """Whether values change from its effective date on."""
        return self.is_version or self.what == "activated"


def spec_of(definition: Definition) -> str:
    """What makes its numbers, as text that is the same for the same content."""
    content = {key: value for key, value in document_of(definition).items() if key not in PRESENTATION}
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def presentation_of(definition: Definition) -> dict[str, object]:
    """What only presents it and has no column of its own."""
    own = ("owner", "visibility", "status")
    return {key: value for key, value in document_of(definition).items() if key in PRESENTATION and key not in own}
