"""One transaction that changes definitions: what is wanted is completed and checked, then stored with its audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_hex
from typing import get_args

from sqlalchemy.orm import Session

from metrics_pipeline.control.metric_audit import AuditEntry, add_entry
from metrics_pipeline.control.metric_models import MetricChangeRow, MetricHead, MetricInputRow, MetricVersionRow
from metrics_pipeline.control.metric_rows import CALCULATED, IN_FORCE, STARTED, STOPPED, add_rows
from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault
from metrics_pipeline.custom_metrics.model import Definition
from metrics_pipeline.custom_metrics.registry.access import (
    Access,
    is_own,
    may_change,
    may_publish,
    may_see,
    narrowest,
)
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.planning import Planner
from metrics_pipeline.custom_metrics.registry.records import Became, Changed, MetricRecord
from metrics_pipeline.custom_metrics.registry.refusals import (
    MetricNotFoundError,
    RightMissingError,
    VersionConflictError,
)
from metrics_pipeline.custom_metrics.registry.state import State, Step, Stored, Target, presentation_of, spec_of
from metrics_pipeline.custom_metrics.versions import MetricVersion

Check = Callable[[MetricVersion], None]
_BECAME: dict[str, Became] = {what: what for what in get_args(Became)}


@dataclass(frozen=True, slots=True)
class Change:
    """A change in progress. check: refuses a version that cannot be calculated, before anything is stored."""

    session: Session
    state: State
    actor: Actor
    now: datetime
    check: Check
    compiler_version: str | None = None

    def own(self, reference: str, *, archived: bool = False) -> Stored:
        """The metric that is to be changed.

        Raises:
            MetricNotFoundError: it is not there, not seen, or not theirs to change.
            DefinitionError: it is archived, or, where an archived one is wanted, it is not.
        """
        stored = self.state.find(reference)
        if archived and stored is None:  # the one of this name that was made last
            named = [each for each in self.state.archived.values() if each.definition.name == reference]
            stored = named[-1] if named else None
        if stored is None:
            raise MetricNotFoundError
        if not may_see(self.actor, stored.access):
            raise MetricNotFoundError("not_visible", stored.metric_id)
        if not may_change(self.actor, stored.access):
            raise MetricNotFoundError("not_owner", stored.metric_id)
        if (stored.definition.status == "archived") != archived:
            said = "It is not archived." if archived else "It is archived; restore it first."
            raise DefinitionError.at("", "metric_archived", said)
        return stored

    @staticmethod
    def expect(stored: Stored, version: int, revision: int | None = None) -> None:
        """Raises VersionConflictError where it is not as it was when it was looked at."""
        if stored.version.version != version or revision not in (None, stored.revision):
            raise VersionConflictError(stored.version.version)

    def target(self, definition: Definition, stored: Stored | None, pointer: str = "") -> Target:
        """What the metric shall be: of owner, visibility and status what is not said stays as it is.

        Raises:
            DefinitionError, RightMissingError: it may not be so.
        """
        said = definition.model_fields_set
        owner = definition.owner or (stored.access.owner if stored else self.actor.owner)
        if "visibility" in said:
            visibility = definition.visibility
        else:
            visibility = stored.access.visibility if stored else narrowest(self.actor, owner)
        status = definition.status if "status" in said or stored is None else stored.definition.status
        access = Access(owner, visibility)
        if status == "archived":
            raise DefinitionError.at(f"{pointer}/status", "status_archived", "Archive the metric instead.")
        if stored is None or owner != stored.access.owner:
            if not (self.actor.sees_all or is_own(self.actor, access)):
                raise RightMissingError.at(f"{pointer}/owner", "owner_forbidden", "Name yourself or a team of yours.")
            if access.team is not None and access.team not in self.state.teams | self.actor.teams:
                raise DefinitionError.at(f"{pointer}/owner", "owner_unknown", "There is no such team.")
        if visibility == "team" and access.team is None:
            said_so = "Only a metric that a team owns is for a team: name an owner team:ID."
            raise DefinitionError.at(f"{pointer}/visibility", "team_missing", said_so)
        if not may_publish(self.actor, visibility, stored.access.visibility if stored else None):
            said_so = "Beyond a team it needs the role metrics:publish."
            raise RightMissingError.at(f"{pointer}/visibility", "visibility_forbidden", said_so)
        filled = definition.model_copy(update={"owner": owner, "visibility": visibility, "status": status})
        # a hyphen: no name has one, so an id is never taken for a name
        return Target(filled, stored, stored.metric_id if stored else f"m-{token_hex(8)}", pointer)

    def plan(self, targets: Mapping[str, Target], effective_from: date | None, *, force: bool = False) -> list[Step]:
        """What is to be stored, checked.

        Raises:
            DefinitionError: something does not fit, of the targets or of what is made of them.
        """
        steps = Planner(self.state, self.actor, targets, effective_from, force).steps()
        faults: list[Fault] = []
        for step in steps:
            if step.comes_into_force or step.what == "restored":
                try:
                    self.check(step.version)
                except DefinitionError as error:
                    faults += self._told(step, error)
        if faults:
            raise DefinitionError(faults)
        return steps

    def store(self, steps: list[Step], action: str, note: str | None = None) -> None:
        """Write it down, each metric with one row in the audit."""
        for step in steps:
            head = self._head(step)
            version = step.version
            if step.is_version:
                self._add_version(version, note if step.note is None else step.note)
            if step.comes_into_force:
                self._add_change(version, IN_FORCE)
            was = step.stored is not None and step.stored.definition.status in CALCULATED
            if step.stored is not None and was != (head.status in CALCULATED):
                self._add_change(version, STOPPED if was else STARTED)
            add_entry(self.session, self._entry(step, action))
        self.session.flush()

    def changed(self, name: str, steps: list[Step]) -> Changed:
        """What became of one metric, and of what is made of it."""
        step = next((each for each in steps if each.version.name == name), None)
        version = step.version if step is not None else self.state.live[name].version
        head = self.session.get_one(MetricHead, (self.state.workspace_id, version.metric_id))
        what: Became = "unchanged" if step is None else _BECAME.get(step.what, "updated")
        others = [
            each.version
            for each in steps
            if each.note is not None and any(used.metric_id == version.metric_id for used in each.version.walk())
        ]
        seen = tuple(each.name for each in others if may_see(self.actor, Access.of(each.definition)))
        return Changed(what, MetricRecord.of(self.actor, head, version), seen)

    def _head(self, step: Step) -> MetricHead:
        definition, version = step.version.definition, step.version
        key = (self.state.workspace_id, version.metric_id)
        if step.stored is None:
            head = MetricHead(
                workspace_id=key[0],
                metric_id=key[1],
                name=definition.name,
                newest_version=0,
                revision=0,
                created_at=self.now,
                created_by=self.actor.principal,
            )
        else:
            head = self.session.get_one(MetricHead, key)
        head.previous_status = head.status if step.what == "archived" else None
        head.owner_type, _, head.owner_id = Access.of(definition).owner.partition(":")
        head.visibility, head.status = definition.visibility, definition.status
        head.presentation = presentation_of(definition)
        head.active_version = version.version
        head.newest_version = max(head.newest_version, version.version)
        head.revision += 1
        head.updated_at = self.now
        add_rows(self.session, [head])
        return head

    def _add_version(self, version: MetricVersion, note: str | None) -> None:
        key = {"workspace_id": version.workspace_id, "metric_id": version.metric_id, "version": version.version}
        row = MetricVersionRow(
            **key,
            spec_json=spec_of(version.definition),
            content_hash=version.content_hash,
            compiler_version=self.compiler_version,
            effective_from=version.effective_from,
            created_at=self.now,
            created_by=self.actor.principal,
            change_note=note,
        )
        inputs = [
            MetricInputRow(**key, name=name, input_metric_id=used.metric_id, input_version=used.version)
            for name, used in version.inputs.items()
        ]
        add_rows(self.session, [row, *inputs])

    def _add_change(self, version: MetricVersion, kind: str) -> None:
        row = MetricChangeRow(
            workspace_id=version.workspace_id,
            metric_id=version.metric_id,
            kind=kind,
            version=version.version,
            effective_from=version.effective_from if kind == IN_FORCE else None,
            at=self.now,
        )
        add_rows(self.session, [row])

    def _entry(self, step: Step, action: str) -> AuditEntry:
        reason: str | None = None
        seen = step.stored is not None and step.stored.access.visibility != step.version.definition.visibility
        if step.note is not None:
            action, reason = ("archive", "input_gone") if step.what == "archived" else ("update", "input_changed")
        elif action == "import":
            reason = "created" if step.what == "created" else "updated"
        elif action == "update" and seen:
            action, reason = (
                ("visibility_change", None) if step.what == "presented" else ("update", "visibility_change")
            )
        return entry_of(self.actor, self.now, action, "ok", reason, step.version.metric_id, step.version.version)

    def _told(self, step: Step, error: DefinitionError) -> list[Fault]:
        if step.pointer is not None:
            return [Fault(step.pointer + fault.pointer, fault.code, fault.detail) for fault in error.faults]
        is_seen = may_see(self.actor, Access.of(step.version.definition))
        who = step.version.name if is_seen else "A metric that you do not see"
        return [
            Fault("", fault.code, f"{who} is made of it and could not be calculated any more.")
            for fault in error.faults
        ]


def entry_of(
    actor: Actor,
    now: datetime,
    action: str,
    outcome: str,
    reason: str | None = None,
    metric_id: str | None = None,
    version: int | None = None,
) -> AuditEntry:
    """A row of the audit on what an actor does."""
    return AuditEntry(
        at=now,
        workspace_id=actor.workspace_id,
        actor_id=actor.principal,
        actor_kind=actor.kind,
        api_key_id=actor.key_id,
        action=action,
        outcome=outcome,
        reason_code=reason,
        metric_id=metric_id,
        version=version,
    )
