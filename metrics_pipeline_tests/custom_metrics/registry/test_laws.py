"""Whatever people do with definitions, in whatever order: what holds after every step."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.metric_rows import version_seeds
from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.model import VISIBILITIES, Visibility
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.loading import load_state, load_versions
from metrics_pipeline.custom_metrics.registry.refusals import DeniedError
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.custom_metrics.registry.conftest import (
    ADA,
    BEN,
    BOSS,
    CLOCK,
    CY,
    GUEST,
    READER,
    derived,
    populate,
    simple,
)
from metrics_pipeline_tests.proofs.sizes import size

WRITERS = st.sampled_from([BOSS, BOSS, BOSS, ADA, ADA, BEN, CY])
NAMED = ["aa", "bb", "cc", "dd", "ee"]
NAMES = st.sampled_from(NAMED)
PEOPLE = (ADA, BEN, CY, READER, GUEST)
SAID: st.SearchStrategy[dict[str, object]] = st.one_of(
    st.sampled_from([{}, {"owner": "team:growth", "visibility": "team"}, {"label": "x"}, {"status": "draft"}]),
    st.fixed_dictionaries({"visibility": st.sampled_from(VISIBILITIES)}),
)
# Made of names before it, or, now and then, of any.
INPUTS = st.one_of(*[st.just("below")] * 5, st.lists(NAMES, max_size=2, unique=True))
DOCUMENTS = st.builds(
    lambda name, inputs, expr, said: {**_made_of(name, inputs, expr), **said},
    NAMES,
    INPUTS,
    st.sampled_from(["amount", "fee"]),
    SAID,
)
FIRST = [
    simple("aa"),
    simple("bb", owner="team:growth", visibility="team"),
    derived("cc", "aa"),
    derived("dd", "cc", "aa"),
    derived("ee", "bb", owner="user:ada", visibility="private"),
]


def _made_of(name: str, inputs: object, expr: str) -> dict[str, object]:
    below = NAMED[: NAMED.index(name)][-2:] if inputs == "below" else inputs
    assert isinstance(below, list)
    return derived(name, *below) if below else simple(name, expr)


class People(RuleBasedStateMachine):
    """Four people at work on five names; `file` is an empty database."""

    file: Path

    @initialize()
    def begin(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        shutil.copy(self.file, Path(self._directory.name) / "control.db")
        self._engine: Engine = open_control(load_settings(data_dir=Path(self._directory.name)))
        event.listen(self._engine, "connect", lambda raw, _record: raw.execute("pragma synchronous = off"))
        populate(self._engine)
        self._registry = Registry(self._engine, CLOCK)
        self._registry.create_all(BOSS, FIRST)
        self._versions: dict[tuple[str, int], tuple[object, ...]] = {}
        self._meanings: dict[tuple[str, int], str] = {}

    def teardown(self) -> None:
        if hasattr(self, "_engine"):
            self._engine.dispose()
            self._directory.cleanup()

    def _try(self, act: Callable[[], object]) -> None:
        """What is done has one row in the audit for each metric that it changes; what is refused has one."""
        rows, changes = self._count("select count(*) from metric_audit_log"), self._changes()
        try:
            act()
        except (DeniedError, DefinitionError):
            assert self._changes() == changes, "what is refused changes nothing"
            assert self._count("select count(*) from metric_audit_log") == rows + 1
        else:
            assert self._count("select count(*) from metric_audit_log") - rows == self._changes() - changes

    def _count(self, query: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(text(query)).scalar() or 0)

    def _changes(self) -> int:
        return self._count("select sum(revision) from metric_definitions")

    def _at(self, name: str) -> int:
        return self._count(
            f"select active_version from metric_definitions where name = '{name}' and status <> 'archived'"
        )

    @rule(actor=WRITERS, document=DOCUMENTS)
    def create(self, actor: Actor, document: dict[str, object]) -> None:
        self._try(lambda: self._registry.create(actor, document))

    @rule(actor=WRITERS, documents=st.lists(DOCUMENTS, min_size=2, max_size=3))
    def create_all(self, actor: Actor, documents: list[dict[str, object]]) -> None:
        self._try(lambda: self._registry.create_all(actor, documents))

    @rule(actor=WRITERS, document=DOCUMENTS, force=st.booleans())
    def update(self, actor: Actor, document: dict[str, object], force: bool) -> None:
        name = str(document["name"])
        self._try(
            lambda: self._registry.update(
                actor,
                name,
                document,
                expected_version=self._at(name),
                force=force,
            )
        )

    @rule(actor=WRITERS, name=NAMES, visibility=st.sampled_from(VISIBILITIES), force=st.booleans())
    def show_to(self, actor: Actor, name: str, visibility: Visibility, force: bool) -> None:
        at = self._at(name)
        self._try(
            lambda: self._registry.set_visibility(
                actor,
                name,
                visibility,
                expected_version=at,
                force=force,
            )
        )

    @rule(actor=WRITERS, name=NAMES, version=st.integers(1, 3))
    def activate(self, actor: Actor, name: str, version: int) -> None:
        at = self._at(name)
        self._try(lambda: self._registry.activate(actor, name, version, expected_version=at))

    @rule(actor=WRITERS, name=NAMES, force=st.booleans())
    def archive(self, actor: Actor, name: str, force: bool) -> None:
        self._try(lambda: self._registry.archive(actor, name, force=force))

    @rule(actor=WRITERS, name=NAMES)
    def restore(self, actor: Actor, name: str) -> None:
        self._try(lambda: self._registry.restore(actor, name))

    @invariant()
    def versions_never_change_nor_what_they_mean(self) -> None:
        with Session(self._engine) as session:
            rows = session.execute(text("select * from metric_definition_versions")).all()
            versions = {(row.metric_id, row.version): tuple(row) for row in rows}
            meanings = {
                key[1:]: " ".join(each.content_hash for each in version.walk())
                for metric_id in {metric_id for metric_id, _ in versions}
                for key, version in load_versions(session, version_seeds("acme", metric_id)).items()
            }
        assert self._versions.items() <= versions.items()
        assert self._meanings.items() <= meanings.items()
        assert set(meanings) == set(versions), "every version loads, with everything it was made of"
        self._versions, self._meanings = versions, meanings

    @invariant()
    def no_metric_is_more_visible_than_its_inputs_and_they_are_there(self) -> None:
        with Session(self._engine) as session:
            live = load_state(session, "acme").live
        # asked, one by one; admins, who see everything, left out
        seen = {who.principal: {record.name for record in self._registry.list(who).records} for who in PEOPLE}
        readers = {name: {who for who, names in seen.items() if name in names} for name in live}
        for name, stored in live.items():
            for used, version in stored.version.inputs.items():
                assert used in live, f"{name} is made of {used}, which is archived"
                assert live[used].metric_id == version.metric_id
                assert readers[name] <= readers[used], f"{name} is more visible than {used}"


def test_laws_of_the_registry(migrated_file: Path) -> None:
    machine = type("PeopleHere", (People,), {"file": migrated_file})
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=size(8, 300), stateful_step_count=size(14, 40), deadline=None, derandomize=size(1, 0) == 1
        ),
    )
