"""The registry of metrics: every change of a definition goes through here, one transaction with its audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from metrics_pipeline.clock import Clock
from metrics_pipeline.control.database import writing
from metrics_pipeline.control.metric_models import MetricHead
from metrics_pipeline.control.metric_rows import in_force_seeds, lock_definitions, pointers, snapshot, version_seeds
from metrics_pipeline.control.workspaces import require_workspace
from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault
from metrics_pipeline.custom_metrics.model import VISIBILITIES, Definition, Visibility
from metrics_pipeline.custom_metrics.parsing import parse_definition
from metrics_pipeline.custom_metrics.registry.access import may_change
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.change import Change, Check
from metrics_pipeline.custom_metrics.registry.loading import load_state, load_versions
from metrics_pipeline.custom_metrics.registry.periods import Calendars
from metrics_pipeline.custom_metrics.registry.planning import Planner
from metrics_pipeline.custom_metrics.registry.records import Changed
from metrics_pipeline.custom_metrics.registry.refusals import MetricNotFoundError
from metrics_pipeline.custom_metrics.registry.state import Target
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.errors import UserError

Document = Mapping[str, object] | Definition
LONGEST_NOTE = 500


def accept_all(_version: MetricVersion) -> None:
    """A check that refuses nothing."""


class Registry(Calendars):
    """Definitions of metrics. check: called for every version before anything is stored; raises DefinitionError.

    The check runs inside the transaction: it may read the control database and must not write to it.
    Every change raises NotAllowedError without the role metrics:define, MetricNotFoundError for a metric that is not
    there, not seen or somebody else's, VersionConflictError for one that changed meanwhile, DefinitionError otherwise.
    `reference` is a name, or an id.
    """

    def __init__(
        self, control: Engine, clock: Clock, *, check: Check = accept_all, compiler_version: str | None = None
    ) -> None:
        super().__init__(control, clock)
        self._check = check
        self._compiler_version = compiler_version

    def create(
        self, actor: Actor, document: Document, *, effective_from: date | None = None, note: str | None = None
    ) -> Changed:
        """Make a metric. Of owner and visibility what is not said is: whoever makes it, and as wide as that one may."""
        with self._change(actor, "create", note) as change:
            definition = _parsed(document)
            if definition.name in change.state.live:
                raise DefinitionError.at("/name", "name_taken", "There is a metric of this name.")
            targets = {definition.name: change.target(definition, None)}
            steps = change.plan(targets, effective_from)
            change.store(steps, "create", note)
            return change.changed(definition.name, steps)

    def create_all(
        self,
        actor: Actor,
        documents: Sequence[Document],
        *,
        effective_from: date | None = None,
        note: str | None = None,
    ) -> list[Changed]:
        """Make or update many, in whatever order they come: all or none. What is stored already stays as it is."""
        with self._change(actor, "import", note) as change:
            targets = _targets(change, documents)
            steps = change.plan(targets, effective_from)
            change.store(steps, "import", note)
            return [change.changed(name, steps) for name in targets]

    def try_all(self, actor: Actor, documents: Sequence[Document]) -> list[MetricVersion]:
        """What `create_all` would make of them, in their order; nothing is stored but that it was tried."""
        with self._refusals(actor, "validate"):
            workspace_id = self._definer(actor)
            with snapshot(self._control) as session:
                change = self._begun(session, actor, workspace_id)
                targets = _targets(change, documents)
                made = {step.version.name: step.version for step in change.plan(targets, None)}
                versions = [made.get(name) or change.state.live[name].version for name in targets]
        self.note(actor, "validate")
        return versions

    def update(
        self,
        actor: Actor,
        reference: str,
        document: Document,
        *,
        expected_version: int,
        expected_revision: int | None = None,
        effective_from: date | None = None,
        note: str | None = None,
        force: bool = False,
    ) -> Changed:
        """Change a metric to what a whole document says; other numbers make a new version, of all made of it as well.

        force: archive metrics that would be more visible than this one, instead of refusing.
        """
        with self._change(actor, "update", note) as change:
            stored = change.own(reference)
            change.expect(stored, expected_version, expected_revision)
            definition = _parsed(document)
            if definition.name != stored.definition.name:
                raise DefinitionError.at("/name", "name_fixed", "A metric keeps its name: others are made of it.")
            targets = {definition.name: change.target(definition, stored)}
            steps = change.plan(targets, effective_from, force=force)
            change.store(steps, "update", note)
            return change.changed(definition.name, steps)

    def set_visibility(
        self, actor: Actor, reference: str, visibility: Visibility, *, expected_version: int, force: bool = False
    ) -> Changed:
        """Who sees it. force: archive metrics that would be more visible than this one, instead of refusing."""
        with self._change(actor, "visibility_change") as change:
            stored = change.own(reference)
            change.expect(stored, expected_version)
            if visibility not in VISIBILITIES:
                raise DefinitionError.at("/visibility", "field_invalid", f"Say one of {', '.join(VISIBILITIES)}.")
            wanted = stored.definition.model_copy(update={"visibility": visibility})
            steps = change.plan({wanted.name: change.target(wanted, stored)}, None, force=force)
            change.store(steps, "visibility_change")
            return change.changed(wanted.name, steps)

    def activate(
        self, actor: Actor, reference: str, version: int, *, expected_version: int, effective_from: date | None = None
    ) -> Changed:
        """Put an earlier version in force again, for all periods or from a day on."""
        with self._change(actor, "activate") as change:
            stored = change.own(reference)
            change.expect(stored, expected_version)
            workspace_id, metric_id = change.state.workspace_id, stored.metric_id
            key = (workspace_id, metric_id, version)
            found = load_versions(change.session, version_seeds(*key)) if 1 <= version <= stored.newest else {}
            if key not in found:
                raise MetricNotFoundError("version_unknown", metric_id)
            last = pointers(change.session, in_force_seeds([workspace_id], metric_id))[-1]
            if (last.version, last.effective_from) == (version, effective_from):
                return change.changed(stored.definition.name, [])
            target = replace(change.target(stored.definition, stored), pinned=found[key])
            target = replace(target, definition=found[key].definition)
            steps = change.plan({target.definition.name: target}, effective_from)
            change.store(steps, "activate")
            return change.changed(target.definition.name, steps)

    def archive(self, actor: Actor, reference: str, *, force: bool = False) -> Changed:
        """Take a metric out of use; its versions and values stay. force: everything made of it as well."""
        with self._change(actor, "archive") as change:
            stored = change.own(reference)
            name = stored.definition.name
            steps = Planner(change.state, actor, {}, force=force).archive(name)
            change.store(steps, "archive")
            return change.changed(name, steps)

    def restore(self, actor: Actor, reference: str) -> Changed:
        """Undo archiving; a new version is made where an input has changed meanwhile."""
        with self._change(actor, "restore") as change:
            stored = change.own(reference, archived=True)
            name = stored.definition.name
            if name in change.state.live:
                raise DefinitionError.at("/name", "name_taken", "There is a metric of this name by now.")
            head = change.session.get_one(MetricHead, (change.state.workspace_id, stored.metric_id))
            before = stored.definition.model_copy(update={"status": head.previous_status or "active"})
            target = replace(change.target(before, stored), is_restored=True)
            steps = change.plan({name: target}, None)
            change.store(steps, "restore")
            return change.changed(name, steps)

    @contextmanager
    def _change(self, actor: Actor, action: str, note: str | None = None) -> Iterator[Change]:
        """A transaction in which nobody else changes definitions; what is refused goes into the audit."""
        if note is not None and (len(note) > LONGEST_NOTE or not note.replace("\n", "").isprintable()):
            raise UserError(f"A note has at most {LONGEST_NOTE} printable characters.")
        with self._refusals(actor, action):
            workspace_id = self._definer(actor)
            with writing(self._control) as session:
                lock_definitions(session)
                require_workspace(session, workspace_id)
                yield self._begun(session, actor, workspace_id)

    def _begun(self, session: Session, actor: Actor, workspace_id: str) -> Change:
        state = load_state(session, workspace_id)
        return Change(session, state, actor, self._clock.now(), self._check, self._compiler_version)


def _targets(change: Change, documents: Sequence[Document]) -> dict[str, Target]:
    """What documents ask for, by name, in their order; a fault names the document by its place."""
    faults, targets = list[Fault](), dict[str, Target]()
    for number, document in enumerate(documents):
        try:
            definition = _parsed(document)
            stored = change.state.live.get(definition.name)
            if definition.name in targets or (stored and not may_change(change.actor, stored.access)):
                raise DefinitionError.at("/name", "name_taken", "There is a metric of this name.")
        except DefinitionError as error:
            faults += [Fault(f"/{number}{fault.pointer}", fault.code, fault.detail) for fault in error.faults]
        else:
            targets[definition.name] = change.target(definition, stored, f"/{number}")
    if faults:
        raise DefinitionError(faults)
    return targets


def _parsed(document: Document) -> Definition:
    return parse_definition(document) if isinstance(document, Mapping) else document
