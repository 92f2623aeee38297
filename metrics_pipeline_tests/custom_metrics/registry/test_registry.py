"""Definitions as people work with them: created, changed, hidden, archived, and what each leaves behind."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, event

from metrics_pipeline.control.metric_audit import forget_audit
from metrics_pipeline.control.people import remove_principal
from metrics_pipeline.control.teams import leave_team, remove_team
from metrics_pipeline.control.workspaces import add_workspace, remove_workspace
from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.registry.actors import Actor, cli_actor, find_actor
from metrics_pipeline.custom_metrics.registry.reader import Filters
from metrics_pipeline.custom_metrics.registry.records import version_in_force
from metrics_pipeline.custom_metrics.registry.refusals import (
    MetricNotFoundError,
    NotAllowedError,
    RightMissingError,
    VersionConflictError,
)
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.custom_metrics.registry.conftest import (
    ADA,
    BEN,
    BOSS,
    CLOCK,
    CY,
    GUEST,
    NOW,
    READER,
    cumulative,
    derived,
    person,
    ratio,
    simple,
)

BASE = [simple("income"), simple("cost", "fee"), derived("profit", "income", "cost"), derived("twice", "profit")]
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def codes(error: DefinitionError) -> set[tuple[str, str]]:
    return {(fault.pointer, fault.code) for fault in error.faults}


def test_only_what_makes_the_numbers_makes_a_version(registry: Registry) -> None:
    made = registry.create(ADA, simple("income", label="Income")).record
    assert (made.version, made.owner, made.visibility, made.status) == (1, "user:ada", "organization", "active")

    shown = registry.update(ADA, "income", simple("income", label="Sales", tags=["money"]), expected_version=1).record
    assert (shown.version, shown.revision, shown.document["label"]) == (1, 2, "Sales")
    changed = registry.update(ADA, "income", simple("income", "amount / 100"), expected_version=1, note="cents").record
    assert (changed.version, changed.revision, changed.content_hash != made.content_hash) == (2, 3, True)
    assert registry.update(ADA, made.metric_id, changed.document, expected_version=2).what == "unchanged"

    first, second = registry.history(ADA, "income")
    assert (first.document["expr"], second.document["expr"], second.change_note) == ("amount", "amount / 100", "cents")
    assert [entry.is_active for entry in (first, second)] == [False, True]
    assert [(e.action, e.outcome, e.version) for e in registry.audit(ADA, "income")] == [
        ("update", "ok", 2),
        ("update", "ok", 1),
        ("create", "ok", 1),
    ]


def test_a_changed_input_is_a_new_version_of_everything_made_of_it(registry: Registry) -> None:
    registry.create_all(BOSS, BASE)
    old = registry.resolve("acme", "twice")
    changed = registry.update(BOSS, "income", simple("income", "net"), expected_version=1, effective_from=MARCH)
    assert changed.others == ("profit", "twice")

    assert registry.resolve("acme", "twice", 1) == old, "an old version means the same for ever"
    new = registry.resolve("acme", "twice")
    assert (new.version, new.inputs["profit"].version, new.inputs["profit"].inputs["income"].version) == (2, 2, 2)
    assert new.inputs["profit"].inputs["cost"].version == 1
    assert registry.history(BOSS, "twice")[1].change_note == "Input profit is at version 2."
    found = registry.in_force("acme", "twice")
    assert [(version.version, version.effective_from) for version in found] == [(1, None), (2, MARCH)]
    assert version_in_force(found, MARCH - timedelta(days=1)) == found[0]
    assert version_in_force(found, MARCH) == found[1]


def test_an_earlier_version_comes_into_force_again(registry: Registry) -> None:
    registry.create_all(BOSS, BASE)
    registry.update(BOSS, "income", simple("income", "net"), expected_version=1, effective_from=MARCH)
    with pytest.raises(VersionConflictError):
        registry.activate(BOSS, "income", 1, expected_version=1)
    with pytest.raises(MetricNotFoundError):
        registry.activate(BOSS, "income", 3, expected_version=2)

    assert registry.activate(BOSS, "income", 1, expected_version=2, effective_from=APRIL).others == ("profit", "twice")
    assert [(v.version, v.effective_from) for v in registry.in_force("acme", "income")] == [
        (1, None),
        (2, MARCH),
        (1, APRIL),
    ]
    assert registry.activate(BOSS, "income", 1, expected_version=1, effective_from=APRIL).what == "unchanged"
    registry.activate(BOSS, "income", 1, expected_version=1)
    assert [(v.version, v.effective_from) for v in registry.in_force("acme", "income")] == [(1, None)]
    twice = registry.resolve("acme", "twice")
    assert (twice.version, twice.content_hash) == (4, registry.resolve("acme", "twice", 1).content_hash)
    assert registry.update(BOSS, "income", simple("income", "gross"), expected_version=1).record.version == 3


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (simple("cost"), ("/name", "name_taken")),
        (derived("new", "nothing"), ("/input_metrics/0", "metric_unknown")),
        (derived("new", "secret"), ("/input_metrics/0", "metric_unknown")),
        (derived("new", "new"), ("/input_metrics/0", "metric_cycle")),
        (derived("new", "cost", "fourth"), ("", "metric_too_deep")),
        (cumulative("new", "profit"), ("/input_metric", "cumulative_input_not_simple")),
        (ratio("new", "cost", "profit"), ("/denominator", "ratio_input_not_reaggregable")),
        (derived("new", "mine", visibility="team", owner="team:growth"), ("/input_metrics/0", "visibility_forbidden")),
        (simple("new", visibility="team"), ("/visibility", "team_missing")),
        (simple("new", owner="user:cy"), ("/owner", "owner_forbidden")),
        (simple("new", owner="team:sales"), ("/owner", "owner_forbidden")),
        (simple("new", status="archived"), ("/status", "status_archived")),
        ({"name": "new"}, ("/type", "field_invalid")),
    ],
)
def test_what_cannot_be_made(registry: Registry, document: dict[str, object], fault: tuple[str, str]) -> None:
    registry.create_all(BOSS, [*BASE, derived("fourth", "twice")])
    registry.create(CY, simple("secret"))
    registry.create(ADA, simple("mine", visibility="private"))
    with pytest.raises(DefinitionError) as caught:
        registry.create(ADA, document)
    assert fault in codes(caught.value)
    assert registry.list(BOSS, Filters(text="new")).records == []


def test_circles_are_found_however_they_are_closed(registry: Registry) -> None:
    registry.create_all(BOSS, BASE)
    with pytest.raises(DefinitionError) as caught:
        registry.update(BOSS, "income", derived("income", "twice"), expected_version=1)
    assert codes(caught.value) == {("/input_metrics/0", "metric_cycle")}
    with pytest.raises(DefinitionError) as caught:
        registry.create_all(BOSS, [derived("aa", "bb"), derived("bb", "cc"), derived("cc", "aa")])
    assert codes(caught.value) == {(f"/{n}/input_metrics/0", "metric_cycle") for n in range(3)}

    registry.update(BOSS, "profit", derived("profit", "cost"), expected_version=1)
    registry.update(BOSS, "income", derived("income", "profit"), expected_version=1)
    with pytest.raises(DefinitionError) as caught:
        registry.activate(BOSS, "profit", 1, expected_version=2)
    assert ("", "metric_cycle") in codes(caught.value)


def test_a_change_that_breaks_what_is_made_of_it_is_refused_where_it_was_made(registry: Registry) -> None:
    registry.create_all(BOSS, [*BASE, derived("fourth", "twice"), cumulative("so_far", "cost")])
    with pytest.raises(DefinitionError) as caught:
        registry.update(BOSS, "cost", derived("cost", "income"), expected_version=1)
    assert {code for _, code in codes(caught.value)} == {"metric_too_deep", "cumulative_input_not_simple"}
    assert "so_far is made of it." in str(caught.value)

    def refuse_twice(version: MetricVersion) -> None:
        if version.name == "twice":
            raise DefinitionError.at("/expr", "expr_unknown_column", "about column secret")

    strict = Registry(registry._control, CLOCK, check=refuse_twice)
    with pytest.raises(DefinitionError, match="twice is made of it and could not be calculated any more") as caught:
        strict.update(BOSS, "cost", simple("cost", "price"), expected_version=1)
    assert "secret" not in str(caught.value)
    assert {version.version for metric in registry.all_active() for version in metric.versions} == {1}, "all or nothing"


def test_narrowing_is_refused_with_names_or_archives_what_is_left_without(registry: Registry) -> None:
    registry.create_all(ADA, [simple("income"), derived("profit", "income"), derived("twice", "profit")])
    registry.create(BEN, derived("hidden", "income", visibility="private"))
    with pytest.raises(DefinitionError, match="profit and 1 that you do not see are made of it") as caught:
        registry.set_visibility(ADA, "income", "private", expected_version=1)
    assert codes(caught.value) == {("/visibility", "visibility_forbidden")}

    done = registry.set_visibility(ADA, "income", "private", expected_version=1, force=True)
    assert done.others == ("profit", "twice")
    assert [r.name for r in registry.list(BOSS, Filters(status="archived")).records] == ["hidden", "profit", "twice"]
    hidden = registry.list(BOSS, Filters(status="archived")).records[0].metric_id
    assert registry.audit(BOSS, hidden)[0].reason_code == "input_gone"
    with pytest.raises(DefinitionError) as caught:
        registry.restore(ADA, "profit")
    assert codes(caught.value) == {("/input_metrics/0", "visibility_forbidden")}
    registry.set_visibility(ADA, "income", "organization", expected_version=1)
    assert registry.restore(ADA, "profit").record.version == 1


def test_widening_needs_the_role(registry: Registry) -> None:
    made = registry.create(BEN, simple("income"))
    assert made.record.visibility == "private", "as wide as whoever makes it may"
    for visibility in ("organization", "public"):
        with pytest.raises(RightMissingError):
            registry.set_visibility(BEN, "income", visibility, expected_version=1)
    registry.update(BEN, "income", simple("income", owner="team:growth", visibility="team"), expected_version=1)
    registry.set_visibility(ADA, "income", "public", expected_version=1)
    assert registry.update(BEN, "income", simple("income", "net"), expected_version=1).record.visibility == "public"
    assert registry.get(GUEST, "income").document.get("expr") is None
    assert [(e.action, e.outcome, e.reason_code) for e in registry.audit(BEN, "income")][:2] == [
        ("update", "ok", None),
        ("visibility_change", "ok", None),
    ]


def test_unknown_and_forbidden_are_one_answer_and_both_are_written_down(registry: Registry, engine: Engine) -> None:
    registry.create(CY, simple("secret"))
    registry.create(BOSS, simple("open"))
    attempts: list[Callable[[], object]] = [
        lambda: registry.get(ADA, "nothing"),
        lambda: registry.get(ADA, "secret"),
        lambda: registry.history(ADA, "secret"),
        lambda: registry.readable(ADA, "secret"),
        lambda: registry.audit(ADA, "open"),
        lambda: registry.update(ADA, "secret", simple("secret"), expected_version=1),
        lambda: registry.archive(ADA, "open"),
        lambda: registry.get(ADA, "x\x00\ud800"),
    ]
    told = set()
    for attempt in attempts:
        with pytest.raises(MetricNotFoundError) as caught:
            attempt()
        told.add(str(caught.value))
    for actor in (
        READER,
        Actor(None, "operator:k", "operator", BOSS.roles),
        Actor("acme", "o", "operator", BOSS.roles),
    ):
        with pytest.raises(NotAllowedError):
            registry.create(actor, simple("new"))
    assert len(told) == 1
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("select actor_id, outcome, reason_code from metric_audit_log").all()
    denied = Counter(row[2] for row in rows if row[1] == "denied")
    assert denied == {
        "get:unknown": 2,
        "get:not_visible": 1,
        "history:not_visible": 1,
        "read:not_visible": 1,
        "audit:not_owner": 1,
        "update:not_visible": 1,
        "archive:not_owner": 1,
        "create:role_missing": 3,
    }
    assert "amount" not in str(rows)


def test_archived_and_back(registry: Registry) -> None:
    registry.create_all(BOSS, BASE)
    with pytest.raises(DefinitionError, match="profit, twice are made of it; archive with force") as caught:
        registry.archive(BOSS, "income")
    assert codes(caught.value) == {("", "metric_in_use")}
    number = registry.newest_change()
    old = registry.archive(BOSS, "income", force=True).record
    assert [each.name for each in registry.all_active()] == ["cost"]
    assert registry.resolve("acme", old.metric_id, 1).name == "income", "by id for ever"
    with pytest.raises(MetricNotFoundError):
        registry.resolve("acme", "income")

    registry.create(BOSS, simple("income", "other"))
    with pytest.raises(DefinitionError, match="There is a metric of this name by now"):
        registry.restore(BOSS, old.metric_id)
    assert registry.restore(BOSS, "profit").record.version == 2, "it is made of another income now"
    assert [change.kind for change in registry.changes_since(number)] == ["stopped"] * 3 + ["in_force"] * 2 + [
        "started"
    ]


def test_many_at_once_in_any_order_all_or_none_and_again_without_effect(registry: Registry) -> None:
    assert [c.what for c in registry.create_all(ADA, list(reversed(BASE)))] == ["created"] * 4
    number = registry.newest_change()
    assert [c.what for c in registry.create_all(ADA, BASE)] == ["unchanged"] * 4
    assert registry.newest_change() == number
    with pytest.raises(DefinitionError) as caught:
        registry.create_all(ADA, [simple("extra"), {"name": "BAD"}, derived("more", "nothing"), simple("extra")])
    assert {p.split("/")[1] for p, _ in codes(caught.value)} == {"1", "3"}
    assert [r.name for r in registry.list(ADA).records] == ["cost", "income", "profit", "twice"]

    documents = [simple("income", "net"), derived("profit", "income"), simple("extra")]
    found = registry.create_all(ADA, documents)
    assert [(c.what, c.record.version) for c in found] == [("updated", 2), ("updated", 2), ("created", 1)]
    assert [c.others for c in found] == [("twice",), ("twice",), ()]
    assert registry.resolve("acme", "twice").version == 2, "one new version for both changes"
    with pytest.raises(DefinitionError) as caught:
        registry.create_all(CY, [simple("income")])
    assert codes(caught.value) == {("/0/name", "name_taken")}


def test_what_is_tried_is_not_stored(registry: Registry, engine: Engine) -> None:
    registry.create(ADA, simple("income"))
    before = registry.history(ADA, "income")
    tried = registry.try_all(ADA, [derived("profit", "income", "cost"), simple("cost"), simple("income", "net")])
    assert [(each.name, each.version) for each in tried] == [("profit", 1), ("cost", 1), ("income", 2)]
    assert tried[0].inputs["income"] == tried[2]
    with pytest.raises(DefinitionError):
        registry.try_all(ADA, [derived("profit", "nothing")])
    with pytest.raises(NotAllowedError):
        registry.try_all(READER, [simple("cost")])
    assert ([r.name for r in registry.list(ADA).records], registry.history(ADA, "income")) == (["income"], before)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("select action, outcome, reason_code from metric_audit_log order by number")
        assert [tuple(row) for row in rows][1:] == [
            ("validate", "ok", None),
            ("validate", "refused", "metric_unknown"),
            ("deny", "denied", "validate:role_missing"),
        ]


def test_of_two_changes_at_once_one_wins(registry: Registry) -> None:
    registry.create(BOSS, simple("income"))
    together, outcomes = threading.Barrier(2), list[str]()

    def change(expr: str) -> None:
        together.wait()
        try:
            outcomes.append(registry.update(BOSS, "income", simple("income", expr), expected_version=1).what)
        except VersionConflictError as error:
            outcomes.append(f"conflict with {error.current}")

    threads = [threading.Thread(target=change, args=(f"amount / {n}",)) for n in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict with 2", "updated"]
    assert len(registry.history(BOSS, "income")) == 2
    with pytest.raises(VersionConflictError):
        registry.update(BOSS, "income", simple("income", label="x"), expected_version=2, expected_revision=1)


def test_workspaces_never_meet(registry: Registry, engine: Engine) -> None:
    names = ("acme", "acme-2", "Acme", "acm")
    for name in names[1:]:
        add_workspace(engine, name, name, now=NOW)
    bosses = {name: replace(BOSS, workspace_id=name) for name in names}
    ids = {
        name: registry.create(bosses[name], simple("income", f"amount / {n}")).record.metric_id
        for n, name in enumerate(names, 1)
    }
    registry.update(bosses["acme-2"], "income", simple("income", "net"), expected_version=1)
    for name in names:
        assert registry.resolve(name, "income").metric_id == ids[name]
        assert [r.metric_id for r in registry.list(bosses[name]).records] == [ids[name]]
        for other in set(names) - {name}:
            with pytest.raises(MetricNotFoundError):
                registry.get(bosses[name], ids[other])
            with pytest.raises(MetricNotFoundError):
                registry.archive(bosses[name], ids[other])
    assert registry.resolve("acme", "income").version == 1
    assert {(each.workspace_id, each.versions[-1].version) for each in registry.all_active(["acme", "acme-2"])} == {
        ("acme", 1),
        ("acme-2", 2),
    }
    remove_workspace(engine, "acm", now=NOW)
    assert {each.workspace_id for each in registry.all_active()} == set(names) - {"acm"}


def test_everything_is_read_in_a_constant_number_of_statements(registry: Registry, engine: Engine) -> None:
    statements = list[str]()
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    def count() -> int:
        statements.clear()
        registry.all_active()
        return len(statements)

    registry.create_all(BOSS, BASE)
    few = count()
    for number in range(5):
        add_workspace(engine, f"w{number}", now=NOW)
        registry.create_all(cli_actor(f"w{number}"), [*BASE, *(simple(f"metric_{n}") for n in range(10))])
    assert count() == few <= 5


def test_what_is_read_is_of_one_moment(registry: Registry, engine: Engine) -> None:
    registry.create_all(BOSS, BASE)
    changes = [simple("income", "net")]

    def change_meanwhile(*given: object) -> None:
        if "metric_changes" in str(given[2]) and changes:
            thread = threading.Thread(
                target=registry.update, args=(BOSS, "income", changes.pop()), kwargs={"expected_version": 1}
            )
            thread.start()
            thread.join()

    event.listen(engine, "after_cursor_execute", change_meanwhile)
    for version in (1, 2):
        found = {each.name: each.versions[-1] for each in registry.all_active()}
        assert {name: found[name].version for name in ("income", "twice")} == {"income": version, "twice": version}


def test_lists_are_filtered_and_paged(registry: Registry) -> None:
    registry.create_all(BOSS, [*BASE, simple("refunds", tags=["money"], status="draft", description="Given BACK")])
    registry.create(CY, simple("own"))

    def names(actor: Actor, filters: Filters) -> list[str]:
        return [record.name for record in registry.list(actor, filters).records]

    assert names(READER, Filters()) == ["cost", "income", "profit", "refunds", "twice"]
    assert names(CY, Filters(owner="user:cy")) == ["own"]
    assert names(READER, Filters(type="derived")) == ["profit", "twice"]
    assert names(READER, Filters(tag="money")) == names(READER, Filters(text="given back")) == ["refunds"]
    assert names(READER, Filters(status="draft")) == ["refunds"]
    assert "refunds" not in [each.name for each in registry.all_active()], "drafts are not calculated"
    first = registry.list(READER, limit=3)
    rest = registry.list(READER, limit=3, after=first.next_after)
    assert ([r.name for r in first.records], [r.name for r in rest.records]) == (
        ["cost", "income", "profit"],
        ["refunds", "twice"],
    )
    assert rest.next_after is None


def test_use_is_counted_and_the_audit_expires(registry: Registry, engine: Engine) -> None:
    made = registry.create(BOSS, simple("income")).record
    registry.note(BOSS, "calculate", made.metric_id, 1, rows_scanned=7, duration_ms=3, cost_class="low", query_hash="h")
    for actor in (READER, READER):
        registry.note(actor, "read", made.metric_id, 1)
    registry.note(READER, "calculate", made.metric_id, 1, outcome="refused", reason_code="cost_too_high")
    [used] = registry.usage(BOSS, "income", NOW.date())
    assert (used.day, used.calculations, used.reads) == (NOW.date(), 1, 2)
    page = registry.audit(BOSS, "income", limit=2)
    assert [entry.outcome for entry in page] == ["refused", "ok"]
    earlier = registry.audit(BOSS, "income", before=page[-1].number)
    assert [(entry.action, entry.rows_scanned, entry.cost_class) for entry in earlier][1] == ("calculate", 7, "low")
    assert forget_audit(engine, NOW) == 0
    assert forget_audit(engine, NOW + timedelta(seconds=1)) == 5


def test_actors_come_from_keys_and_tokens(registry: Registry, engine: Engine) -> None:
    def found(**given: object) -> Actor:
        return find_actor(engine, workspace_id="acme", key_id="k", scopes=["define"], **given)  # type: ignore[arg-type]

    assert found() == Actor("acme", "key:k", "key", CY.roles, key_id="k")
    assert found(principal_id="ben") == Actor("acme", "ben", "principal", BEN.roles, BEN.teams, "k")
    assert found(subject="auth0|9").principal == "token:k"
    assert found(subject="ben", teams={"ops"}).teams == {"growth", "ops"}
    assert found(subject="new", roles={"metrics:read"}, teams={"ops"}) == Actor(
        "acme", "token:k", "token", READER.roles, frozenset({"ops"}), "k"
    )
    remove_principal(engine, "acme", "ben", now=NOW)
    assert found(principal_id="ben").roles == frozenset(), "whoever was removed may do nothing"
    operator = find_actor(engine, workspace_id=None, key_id="k", scopes=["admin"])
    assert (operator.workspace_id, operator.may_define) == (None, False)


def test_who_leaves_a_team_does_not_read_its_numbers_through_a_metric_of_their_own(
    registry: Registry, engine: Engine
) -> None:
    registry.create(ADA, simple("income", owner="team:growth", visibility="team"))
    registry.create(BEN, derived("own", "income"))
    assert registry.readable(BEN, "own").inputs["income"].version == 1
    leave_team(engine, "acme", "growth", "ben")
    with pytest.raises(MetricNotFoundError):
        registry.readable(person("ben", *BEN.roles), "own")
    with pytest.raises(UserError, match="Team growth owns income"):
        remove_team(engine, "acme", "growth", now=NOW)
