"""What follows from a change of definitions, for them and for everything made of them: decided before it is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from graphlib import TopologicalSorter

from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault
from metrics_pipeline.custom_metrics.model import Cumulative, Definition, Ratio, content_hash, inputs_of
from metrics_pipeline.custom_metrics.registry.access import Access, covers, may_see
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.state import State, Step, Stored, Target, What, presentation_of, spec_of
from metrics_pipeline.custom_metrics.versions import DEEPEST, MetricVersion


@dataclass
class Planner:
    """One change of a workspace. force: metrics that it would leave without an input are archived.

    effective_from: of every version it makes, those of metrics that use a changed one included.
    """

    state: State
    actor: Actor
    targets: Mapping[str, Target]
    effective_from: date | None = None
    force: bool = False
    _faults: list[Fault] = field(default_factory=list)
    _inputs: dict[str, list[str]] = field(default_factory=dict)
    _steps: dict[str, Step] = field(default_factory=dict)

    def steps(self) -> list[Step]:
        """What is to be stored, inputs first.

        Raises:
            DefinitionError: the definitions do not fit together, or not with what is there.
        """
        self._inputs = {name: list(stored.version.inputs) for name, stored in self.state.live.items()}
        self._inputs |= {name: _input_names(target) for name, target in self.targets.items()}
        for name, target in self.targets.items():
            self._check_inputs(name, target)
        self._raise()
        gone = self._uncovered()
        self._raise()
        affected = self._with_users(self.targets) - gone
        graph = {name: [entry for entry in self._inputs[name] if entry in affected] for name in sorted(affected)}
        for name in TopologicalSorter(graph).static_order():
            self._plan(name)
        self._raise()
        return [*self._steps.values(), *self._archived(gone)]

    def archive(self, name: str) -> list[Step]:
        """What is to be stored when a metric is archived; with force everything made of it is as well."""
        self._inputs = {each: list(stored.version.inputs) for each, stored in self.state.live.items()}
        users = self._with_users([name]) - {name}
        if users and not self.force:
            raise DefinitionError.at("", "metric_in_use", f"{self._told(users)} made of it; archive with force.")
        return [*self._archived([name], note=None), *self._archived(users)]

    def _check_inputs(self, name: str, target: Target) -> None:
        """Whether its inputs are there for whoever acts, not made of it themselves, and seen by all who see it."""
        access = Access.of(target.definition)
        for pointer, used in _inputs_with_pointers(target):
            stored = self.state.live.get(used)
            if used == name or (used in self._inputs and self._reaches(used, name)):
                self._fault(target, pointer, "metric_cycle", f"{used} is made of {name} itself.")
            elif used in self.targets:
                used_access = Access.of(self.targets[used].definition)
                self._check_covered(target, pointer, used, used_access, access)
            elif stored is None or not self._may_use(stored, target, used):
                self._fault(target, pointer, "metric_unknown", "There is no such metric.")
            else:
                self._check_covered(target, pointer, used, stored.access, access)

    def _may_use(self, stored: Stored, target: Target, used: str) -> bool:
        """Whether whoever acts sees the input; of a version that comes back, whether it is still the same metric."""
        is_same = target.pinned is None or target.pinned.inputs[used].metric_id == stored.metric_id
        was_used = target.stored is not None and used in target.stored.version.inputs
        return is_same and (was_used or may_see(self.actor, stored.access))

    def _check_covered(self, target: Target, pointer: str, used: str, wide: Access, narrow: Access) -> None:
        if not covers(wide, narrow, self._is_member):
            said = f"Not everybody who sees this metric would see {used}: make that more visible, or this less."
            self._fault(target, pointer, "visibility_forbidden", said)

    def _uncovered(self) -> set[str]:
        """Metrics that a target is hidden from the readers of; with force, to be archived with all made of them."""
        found: set[str] = set()
        for name, target in self.targets.items():
            access = Access.of(target.definition)
            users = [
                user
                for user in self._users(name)
                if user not in self.targets and not covers(access, self.state.live[user].access, self._is_member)
            ]
            found.update(users)
            if users and not self.force:
                said = f"{self._told(users)} made of it and more visible; archive them with force."
                self._fault(target, "/visibility", "visibility_forbidden", said)
        gone = self._with_users(found)
        for name in sorted(gone & set(self.targets)):
            self._fault(self.targets[name], "", "metric_unknown", "What it is made of would be archived.")
        return gone

    def _plan(self, name: str) -> None:
        target, stored = self.targets.get(name), self.state.live.get(name)
        inputs = {used: self._current(used) for used in self._inputs[name]}
        known = {used: version for used, version in inputs.items() if version is not None}
        if len(known) < len(inputs):
            return  # one of them could not be made, which is told already
        changed = [used for used in known if used in self._steps and self._steps[used].comes_into_force]
        if target is not None and target.pinned is not None:
            pinned = replace(target.pinned, definition=target.definition, effective_from=self.effective_from)
            self._steps[name] = Step("activated", pinned, target.stored, pointer=target.pointer)
        elif target is not None:
            self._plan_target(target, known, changed)
        elif changed and stored is not None:
            note = "; ".join(f"Input {used} is at version {known[used].version}" for used in changed) + "."
            version = self._next(stored.definition, stored, stored.metric_id, known)
            if self._fits(version, None):
                self._steps[name] = Step("refreshed", version, stored, is_version=True, note=note)

    def _plan_target(self, target: Target, inputs: Mapping[str, MetricVersion], changed: list[str]) -> None:
        stored, definition = target.stored, target.definition
        version = self._next(definition, stored, target.metric_id, inputs)
        what: What = "restored" if target.is_restored else "created" if stored is None else "updated"
        if stored is not None and not changed and spec_of(definition) == spec_of(stored.definition):
            is_stale = target.is_restored and _pins(version) != _pins(stored.version)
            if not is_stale:
                if target.is_restored or _shown(definition) != _shown(stored.definition):
                    same = replace(stored.version, definition=definition)
                    kind: What = "restored" if target.is_restored else "presented"
                    self._steps[definition.name] = Step(kind, same, stored, pointer=target.pointer)
                return
        if self._fits(version, target):
            self._steps[definition.name] = Step(what, version, stored, is_version=True, pointer=target.pointer)

    def _next(
        self, definition: Definition, stored: Stored | None, metric_id: str, inputs: Mapping[str, MetricVersion]
    ) -> MetricVersion:
        return MetricVersion(
            metric_id,
            self.state.workspace_id,
            1 if stored is None else stored.newest + 1,
            definition,
            content_hash(definition, {name: version.content_hash for name, version in inputs.items()}),
            self.effective_from,
            inputs,
        )

    def _fits(self, version: MetricVersion, target: Target | None) -> bool:
        """Whether its inputs are of kinds that it can be made of, and it does not stand too high.

        A fault of a metric that nobody named is told at what was named, the cause of it.
        """
        faults = list(_misfits(version))
        for pointer, code, detail in faults:
            if target is not None:
                self._fault(target, pointer, code, detail)
            else:
                self._fault(self._cause(version.name), "", code, f"{self._told([version.name])} made of it. {detail}")
        return not faults

    def _cause(self, name: str) -> Target:
        return next(target for cause, target in self.targets.items() if self._reaches(name, cause))

    def _current(self, name: str) -> MetricVersion | None:
        if name in self._steps:
            return self._steps[name].version
        if name in self.targets and (self.targets[name].stored is None or self.targets[name].is_restored):
            return None
        return self.state.live[name].version if name in self.state.live else None

    def _archived(self, names: Iterable[str], note: str | None = "What it is made of is archived.") -> list[Step]:
        found = [self.state.live[name] for name in sorted(names)]
        return [
            Step("archived", replace(stored.version, definition=_with_status(stored, "archived")), stored, note=note)
            for stored in found
        ]

    def _users(self, name: str) -> list[str]:
        return sorted(user for user, inputs in self._inputs.items() if name in inputs)

    def _with_users(self, names: Iterable[str]) -> set[str]:
        """They and everything made of them, at any distance."""
        users: dict[str, list[str]] = {}
        for user, inputs in self._inputs.items():
            for used in inputs:
                users.setdefault(used, []).append(user)
        return _reach(names, users)

    def _reaches(self, name: str, other: str) -> bool:
        return other in _reach([name], self._inputs)

    def _is_member(self, principal: str, team: str) -> bool:
        if principal == self.actor.principal and team in self.actor.teams:
            return True
        return (principal, team) in self.state.members

    def _told(self, names: Collection[str]) -> str:
        """Names for a sentence, of those that whoever acts may see; the others are counted."""
        seen = sorted(n for n in names if n not in self.state.live or may_see(self.actor, self.state.live[n].access))
        hidden = len(names) - len(seen)
        parts = [", ".join(seen)] if seen else []
        parts += [f"{hidden} that you do not see"] if hidden else []
        return " and ".join(parts) + (" is" if len(names) == 1 else " are")

    def _fault(self, target: Target, pointer: str, code: str, detail: str) -> None:
        fault = Fault(target.pointer + pointer, code, detail)
        if fault not in self._faults:
            self._faults.append(fault)

    def _raise(self) -> None:
        if self._faults:
            raise DefinitionError(self._faults)


def _misfits(version: MetricVersion) -> Iterable[tuple[str, str, str]]:
    definition = version.definition
    if version.depth > DEEPEST:
        yield "", "metric_too_deep", f"At most {DEEPEST} metrics may stand above each other."
    for pointer, used in inputs_of(definition):
        kind = version.inputs[used.name].definition.type
        if isinstance(definition, Cumulative) and kind != "simple":
            yield pointer, "cumulative_input_not_simple", f"{used.name} is {kind}; only a simple metric accumulates."
        if isinstance(definition, Ratio) and kind not in ("simple", "cumulative"):
            yield pointer, "ratio_input_not_reaggregable", f"{used.name} is {kind}; use simple or cumulative ones."


def _inputs_with_pointers(target: Target) -> list[tuple[str, str]]:
    if target.pinned is not None:
        return [("", name) for name in target.pinned.inputs]
    return [(pointer, used.name) for pointer, used in inputs_of(target.definition)]


def _input_names(target: Target) -> list[str]:
    return list(dict.fromkeys(name for _, name in _inputs_with_pointers(target)))


def _pins(version: MetricVersion) -> dict[str, tuple[str, int]]:
    return {name: (used.metric_id, used.version) for name, used in version.inputs.items()}


def _shown(definition: Definition) -> tuple[object, ...]:
    return (presentation_of(definition), definition.owner, definition.visibility, definition.status)


def _with_status(stored: Stored, status: str) -> Definition:
    return stored.definition.model_copy(update={"status": status})


def _reach(names: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    found, waiting = set(names), list(names)
    while waiting:
        for following in edges.get(waiting.pop(), ()):
            if following not in found:
                found.add(following)
                waiting.append(following)
    return found
