"""From rows to definitions: versions with the inputs they were made with, and a workspace's metrics as they stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from metrics_pipeline.control.metric_rows import Key, Seeds, active_seeds, heads_of, version_rows
from metrics_pipeline.control.models import Team, TeamMember
from metrics_pipeline.custom_metrics.model import DEFINITION
from metrics_pipeline.custom_metrics.registry.state import State, Stored
from metrics_pipeline.custom_metrics.versions import MetricVersion


def load_versions(session: Session, seeds: Seeds) -> dict[Key, MetricVersion]:
    """Versions and everything below them, by workspace, metric and number; three statements.

    What only presents a metric is as it is today, in old versions as well.
    """
    rows, inputs, heads = version_rows(session, seeds)
    pins: dict[Key, list[tuple[str, Key]]] = {}
    for workspace, metric, version, name, used, used_version in inputs:
        pins.setdefault((workspace, metric, version), []).append((name, (workspace, used, used_version)))
    by_key = {(row.workspace_id, row.metric_id, row.version): row for row in rows}
    made: dict[Key, MetricVersion] = {}

    def make(key: Key) -> MetricVersion:  # as deep as metrics stand above each other
        if key not in made:
            row = by_key[key]
            document = json.loads(row.spec_json) | shown_part(heads[key[0], key[1]])
            made[key] = MetricVersion(
                row.metric_id,
                row.workspace_id,
                row.version,
                DEFINITION.validate_python(document),
                row.content_hash,
                row.effective_from,
                {name: make(pin) for name, pin in pins.get(key, ())},
            )
        return made[key]

    for key in by_key:
        make(key)
    return made


def shown_part(head: Any) -> Mapping[str, object]:
    """What a head adds to the document of a version."""
    own = {
        "owner": f"{head.owner_type}:{head.owner_id}",
        "visibility": head.visibility,
        "status": head.status,
    }
    return {**head.presentation, **own}


def load_state(session: Session, workspace_id: str) -> State:
    """All metrics of a workspace."""
    heads = heads_of(session, workspace_id)
    versions = load_versions(session, active_seeds(workspace_id)) if heads else {}
    live, archived = {}, {}
    for head in heads:
        stored = Stored(versions[workspace_id, head.metric_id, head.active_version], head.revision, head.newest_version)
        if head.status == "archived":
            archived[head.metric_id] = stored
        else:
            live[head.name] = stored
    members = select(TeamMember.principal_id, TeamMember.team_id).where(TeamMember.workspace_id == workspace_id)
    teams = select(Team.team_id).where(Team.workspace_id == workspace_id, Team.removed_at.is_(None))
    pairs = frozenset((row[0], row[1]) for row in session.execute(members))
    return State(workspace_id, live, archived, pairs, frozenset(session.scalars(teams)))
