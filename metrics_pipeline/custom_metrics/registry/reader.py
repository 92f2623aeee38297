"""Reading the registry: for whoever asks, as far as it may see, and for the pipeline, all of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from metrics_pipeline.clock import Clock
from metrics_pipeline.control import metric_audit, metric_rows
from metrics_pipeline.control.database import writing
from metrics_pipeline.control.metric_audit import AuditEntry, UsageRecord
from metrics_pipeline.control.metric_models import MetricHead
from metrics_pipeline.control.metric_rows import snapshot
from metrics_pipeline.control.people import DEFINE
from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.registry.access import Access, may_inspect, may_see, shown_document
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.change import entry_of
from metrics_pipeline.custom_metrics.registry.loading import load_state, load_versions
from metrics_pipeline.custom_metrics.registry.records import (
    ActiveMetric,
    HistoryEntry,
    MetricChange,
    MetricRecord,
    Page,
)
from metrics_pipeline.custom_metrics.registry.refusals import (
    DeniedError,
    MetricNotFoundError,
    NotAllowedError,
    RightMissingError,
)
from metrics_pipeline.custom_metrics.registry.state import Stored
from metrics_pipeline.custom_metrics.versions import MetricVersion

Noted = Literal["validate", "calculate", "read", "deny"]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which metrics; what is None asks for all. text: in name, label, description or a tag, in any case of letters.

    status: all but archived ones, unless it is said.
    """

    owner: str | None = None
    tag: str | None = None
    type: str | None = None
    status: str | None = None
    text: str | None = None

    def take(self, stored: Stored) -> bool:
        """Whether it is one of them."""
        definition = stored.definition
        told = (definition.name, definition.label or "", definition.description or "", *definition.tags)
        return (
            self.owner in (None, definition.owner)
            and (self.tag is None or self.tag in definition.tags)
            and self.type in (None, definition.type)
            and (definition.status == self.status if self.status else definition.status != "archived")
            and (self.text is None or any(self.text.casefold() in each.casefold() for each in told))
        )


class Reader:
    """Definitions and their versions. What is refused is written down; reading values is noted by whoever does."""

    def __init__(self, control: Engine, clock: Clock) -> None:
        self._control = control
        self._clock = clock

    def list(self, actor: Actor, filters: Filters | None = None, *, limit: int = 100, after: str | None = None) -> Page:
        """Metrics that whoever asks may see, by name and id, at most `limit` behind `after` of the page before."""
        taken = filters or Filters()
        with snapshot(self._control) as session:
            state = load_state(session, actor.workspace_id or "")
            seen = {
                f"{stored.definition.name}/{stored.metric_id}": stored
                for stored in (*state.live.values(), *state.archived.values())
                if may_see(actor, stored.access) and taken.take(stored)
            }
            places = [place for place in sorted(seen) if after is None or place > after]
            page = places[:limit]
            records = [self._record(session, actor, seen[place].version) for place in page]
            return Page(records, page[-1] if len(places) > limit else None)

    def get(self, actor: Actor, reference: str) -> MetricRecord:
        """One metric, by name, or by id, archived ones too.

        Raises:
            MetricNotFoundError: there is none, or not for whoever asks.
        """
        with self._refusals(actor, "get"), snapshot(self._control) as session:
            return self._record(session, actor, self._seen(session, actor, reference))

    def history(self, actor: Actor, reference: str) -> Sequence[HistoryEntry]:
        """Every version of a metric, oldest first. Raises MetricNotFoundError."""
        with self._refusals(actor, "history"), snapshot(self._control) as session:
            active = self._seen(session, actor, reference)
            workspace_id, metric_id = active.workspace_id, active.metric_id
            versions = load_versions(session, metric_rows.version_seeds(workspace_id, metric_id))
            inspects = may_inspect(actor, Access.of(active.definition))
            found = []
            for row in metric_rows.versions_of(session, workspace_id, metric_id):
                version = versions[workspace_id, metric_id, row.version]
                document, has_formulas = shown_document(actor, version.definition)
                found.append(
                    HistoryEntry(
                        row.version,
                        row.content_hash,
                        row.effective_from,
                        row.created_at,
                        row.created_by if inspects else None,
                        row.change_note if inspects and has_formulas else None,
                        row.version == active.version,
                        document,
                        {name: used.version for name, used in version.inputs.items()},
                    )
                )
            return found

    def audit(
        self, actor: Actor, reference: str, *, limit: int = 100, before: int | None = None
    ) -> Sequence[AuditEntry]:
        """What was done with a metric, newest first. Its owner, the owner's team and admins may read that.

        Raises:
            MetricNotFoundError: as `get`, and for everybody else.
        """
        with self._refusals(actor, "audit"), snapshot(self._control) as session:
            version = self._seen(session, actor, reference)
            if not may_inspect(actor, Access.of(version.definition)):
                raise MetricNotFoundError("not_owner", version.metric_id)
            return metric_audit.entries_of(session, version.workspace_id, version.metric_id, limit, before)

    def usage(self, actor: Actor, reference: str, since: date) -> Sequence[UsageRecord]:
        """How often it was calculated and read, by day. Raises MetricNotFoundError."""
        with self._refusals(actor, "usage"), snapshot(self._control) as session:
            version = self._seen(session, actor, reference)
            return metric_audit.usage_of(session, version.workspace_id, version.metric_id, since)

    def readable(self, actor: Actor, reference: str, version: int | None = None) -> MetricVersion:
        """What its values are made with, for whoever may read them: it has to see everything it is made of, too.

        A person who left a team does not read the team's numbers through a metric of their own.

        Raises:
            MetricNotFoundError: there is no such metric or version, or not for whoever asks.
        """
        with self._refusals(actor, "read"), snapshot(self._control) as session:
            active = self._seen(session, actor, reference)
            found = active if version is None else self._version(session, active.workspace_id, reference, version)
            if not all(may_see(actor, Access.of(each.definition)) for each in found.walk()):
                raise MetricNotFoundError("input_not_visible", active.metric_id)
            return found

    def resolve(self, workspace_id: str, reference: str, version: int | None = None) -> MetricVersion:
        """A version with its inputs, for the pipeline; without a number the one in force last.

        Raises:
            MetricNotFoundError: there is no such metric or version.
        """
        with snapshot(self._control) as session:
            return self._version(session, workspace_id, reference, version)

    def in_force(self, workspace_id: str, reference: str) -> Sequence[MetricVersion]:
        """The versions that count for some period, by the day from which they do, newest last.

        Raises:
            MetricNotFoundError: there is no such metric.
        """
        with snapshot(self._control) as session:
            metric_id = metric_rows.find_metric_id(session, workspace_id, reference)
            if metric_id is None:
                raise MetricNotFoundError
            [found] = self._active(session, metric_rows.in_force_seeds([workspace_id], metric_id))
            return found.versions

    def all_active(self, workspaces: Collection[str] | None = None) -> Sequence[ActiveMetric]:
        """Every metric that is calculated, active or deprecated, of live workspaces; four statements, however many."""
        with snapshot(self._control) as session:
            return list(self._active(session, metric_rows.in_force_seeds(workspaces)))

    def changes_since(self, number: int, *, limit: int = 1000) -> Sequence[MetricChange]:
        """What was committed behind a number, in that order: go on with the last one's number. From 0: everything."""
        with snapshot(self._control) as session:
            return [MetricChange(*row) for row in metric_rows.changes_after(session, number, limit)]

    def newest_change(self) -> int:
        """The number of the last change; whoever calculates everything begins behind it."""
        with snapshot(self._control) as session:
            return metric_rows.newest_change(session)

    def note(
        self,
        actor: Actor,
        action: Noted,
        metric_id: str | None = None,
        version: int | None = None,
        *,
        outcome: str = "ok",
        reason_code: str | None = None,
        rows_scanned: int | None = None,
        duration_ms: int | None = None,
        cost_class: str | None = None,
        query_hash: str | None = None,
        trace_id: str | None = None,
    ) -> None:
        """Write down what was done with a metric outside the registry; what went well is counted for the day.

        Nothing given here may hold a literal of a formula or filter: query_hash is a hash, reason_code a code.
        """
        now = self._clock.now()
        entry = replace(
            entry_of(actor, now, action, outcome, reason_code, metric_id, version),
            rows_scanned=rows_scanned,
            duration_ms=duration_ms,
            cost_class=cost_class,
            query_hash=query_hash,
            trace_id=trace_id,
        )
        with writing(self._control) as session:
            metric_audit.add_entry(session, entry)
            if outcome == "ok" and metric_id is not None and action in ("calculate", "read"):
                counts = {"calculations": 1} if action == "calculate" else {"reads": 1}
                metric_audit.count_use(session, actor.workspace_id or "", metric_id, now.date(), **counts)

    @contextmanager
    def _refusals(self, actor: Actor, attempted: str) -> Iterator[None]:
        """What is refused inside is written down in a transaction of its own, and raised again."""
        try:
            yield
        except (DeniedError, DefinitionError) as error:
            now, metric_id = self._clock.now(), error.metric_id if isinstance(error, DeniedError) else None
            if isinstance(error, DeniedError):
                entry = entry_of(actor, now, "deny", "denied", f"{attempted}:{error.reason}", metric_id)
            elif isinstance(error, RightMissingError):
                entry = entry_of(actor, now, "deny", "denied", f"{attempted}:{error.faults[0].code}")
            else:
                entry = entry_of(actor, now, attempted, "refused", error.faults[0].code)
            with writing(self._control) as session:
                metric_audit.add_entry(session, entry)
            raise

    @staticmethod
    def _definer(actor: Actor) -> str:
        """The workspace of somebody who may define metrics there. Raises NotAllowedError."""
        if actor.workspace_id is None or not actor.may_define:
            raise NotAllowedError(DEFINE)
        return actor.workspace_id

    def _seen(self, session: Session, actor: Actor, reference: str) -> MetricVersion:
        version = self._version(session, actor.workspace_id or "", reference, None)
        if not may_see(actor, Access.of(version.definition)):
            raise MetricNotFoundError("not_visible", version.metric_id)
        return version

    def _version(self, session: Session, workspace_id: str, reference: str, version: int | None) -> MetricVersion:
        metric_id = metric_rows.find_metric_id(session, workspace_id, reference) if reference.isprintable() else None
        head = None if metric_id is None else session.get(MetricHead, (workspace_id, metric_id))
        if head is None:
            raise MetricNotFoundError
        number = head.active_version if version is None else version
        if not 1 <= number <= head.newest_version:
            raise MetricNotFoundError("version_unknown", head.metric_id)
        seeds = metric_rows.version_seeds(workspace_id, head.metric_id, number)
        return load_versions(session, seeds)[workspace_id, head.metric_id, number]

    @staticmethod
    def _record(session: Session, actor: Actor, version: MetricVersion) -> MetricRecord:
        return MetricRecord.of(actor, session.get_one(MetricHead, (version.workspace_id, version.metric_id)), version)

    @staticmethod
    def _active(session: Session, seeds: metric_rows.Seeds) -> Iterator[ActiveMetric]:
        rows = metric_rows.pointers(session, seeds)
        versions = load_versions(session, seeds)
        grouped: dict[tuple[str, str], list[MetricVersion]] = {}
        for row in rows:
            version = replace(versions[row[0], row[1], row[2]], effective_from=row.effective_from)
            grouped.setdefault((row[0], row[1]), []).append(version)
        for (workspace_id, metric_id), found in grouped.items():
            yield ActiveMetric(workspace_id, metric_id, found[-1].name, tuple(found))
