"""Who sees, changes, inspects and publishes what, exhaustively; and which roles a key or token has."""

from __future__ import annotations

from itertools import product

import pytest

from metrics_pipeline.control.people import ADMIN, DEFINE, PUBLISH, READ, ROLES
from metrics_pipeline.custom_metrics.model import VISIBILITIES
from metrics_pipeline.custom_metrics.parsing import parse_definition
from metrics_pipeline.custom_metrics.registry.access import (
    Access,
    covers,
    may_change,
    may_inspect,
    may_publish,
    may_see,
    shown_document,
)
from metrics_pipeline.custom_metrics.registry.actors import Actor, cli_actor, pipeline_actor, roles_of
from metrics_pipeline_tests.custom_metrics.registry.conftest import ADA, BEN, BOSS, CY, EVERYBODY, GUEST, READER, simple

OPERATOR = Actor("acme", "operator:k", "operator", frozenset(ROLES))
EDITOR = Actor("acme", "ed", "principal", frozenset({READ}), frozenset({"growth"}))
ACTORS = {
    **EVERYBODY,
    "in the team, reads only": EDITOR,
    "operator": OPERATOR,
    "cli": cli_actor("acme"),
    "pipeline": pipeline_actor("acme"),
}
# Of a metric of Ada's, then of one of the team's: s sees, i inspects (audit, hidden formulas), c changes.
TABLE = {
    #               user: private, team, organization, public   team: private, team, organization, public
    "ada": (("sic", "sic", "sic", "sic"), ("sic", "sic", "sic", "sic")),
    "ben": (("", "", "s", "s"), ("sic", "sic", "sic", "sic")),
    "cy": (("", "", "s", "s"), ("", "", "s", "s")),
    "boss": (("sic", "sic", "sic", "sic"), ("sic", "sic", "sic", "sic")),
    "reader": (("", "", "s", "s"), ("", "", "s", "s")),
    "guest": (("", "", "", "s"), ("", "", "", "s")),
    "in the team, reads only": (("", "", "s", "s"), ("si", "si", "si", "si")),
    "operator": (("si", "si", "si", "si"), ("si", "si", "si", "si")),
    "cli": (("sic", "sic", "sic", "sic"), ("sic", "sic", "sic", "sic")),
    "pipeline": (("si", "si", "si", "si"), ("si", "si", "si", "si")),
}


@pytest.mark.parametrize("who", sorted(ACTORS))
def test_who_may_do_what(who: str) -> None:
    for column, owner in enumerate(("user:ada", "team:growth")):
        for visibility, expected in zip(VISIBILITIES, TABLE[who][column], strict=True):
            access, actor = Access(owner, visibility), ACTORS[who]
            rules = (("s", may_see), ("i", may_inspect), ("c", may_change))
            found = "".join(letter for letter, rule in rules if rule(actor, access))
            assert found == expected, (who, owner, visibility)


def test_only_with_the_role_a_metric_goes_beyond_a_team() -> None:
    for actor, before, after in product((ADA, BEN, BOSS), (None, *VISIBILITIES), VISIBILITIES):
        widens = before is None or VISIBILITIES.index(after) > VISIBILITIES.index(before)
        needs = widens and after in ("organization", "public")
        assert may_publish(actor, after, before) == (not needs or actor is not BEN), (actor.principal, before, after)


def test_whoever_sees_a_metric_sees_its_inputs() -> None:
    """Every pair, against sets of people."""
    people = {"ada": {"growth"}, "ben": {"growth"}, "cy": set[str](), "reader": set[str]()}

    def viewers(access: Access) -> set[str]:
        if access.visibility in ("organization", "public"):
            return {*people, *(("guest",) if access.visibility == "public" else ())}
        kind, _, owner = access.owner.partition(":")
        return {owner} if kind == "user" else {who for who, teams in people.items() if owner in teams}

    owners = ("user:ada", "user:cy", "team:growth", "team:sales")
    everything = [Access(owner, visibility) for owner, visibility in product(owners, VISIBILITIES)]
    for used, user in product(everything, everything):
        if covers(used, user, lambda who, team: team in people.get(who, ())):
            assert viewers(used) >= viewers(user), (used, user)
    assert covers(Access("team:growth", "team"), Access("user:ada", "private"), lambda _who, _team: True)
    assert not covers(Access("user:ada", "private"), Access("user:cy", "private"), lambda _who, _team: True)


@pytest.mark.parametrize(("who", "is_whole"), [("ada", True), ("boss", True), ("cy", False), ("guest", False)])
def test_a_public_metric_shows_its_formulas_to_its_own(who: str, is_whole: bool) -> None:
    filters = {"filter": "secret = 1", "filters": [{"field": "a", "op": "eq", "value": "secret"}]}
    document = simple("mm", "secret", owner="user:ada", visibility="public", **filters)
    shown, has_formulas = shown_document(EVERYBODY[who], parse_definition(document))
    assert has_formulas == is_whole
    assert ("secret" in str(shown)) == is_whole
    above: dict[str, object] = {"type": "ratio", "denominator": "bb", "numerator": {"name": "aa", "filter": "secret"}}
    wide = parse_definition({**above, "name": "rr", "owner": "user:ada", "visibility": "public"})
    assert ("secret" in str(shown_document(EVERYBODY[who], wide)[0])) == is_whole


ROLE_TABLE: list[tuple[set[str], set[str] | None, set[str]]] = [
    (set(), None, set()),
    ({"ingest"}, None, set()),
    ({"read"}, None, {READ}),
    ({"define"}, None, {READ, DEFINE}),
    ({"admin"}, None, set(ROLES)),
    ({"read"}, {ADMIN}, {READ}),
    ({"define"}, {ADMIN}, {READ, DEFINE, PUBLISH}),
    ({"admin"}, {ADMIN}, set(ROLES)),
    ({"admin"}, {READ}, {READ}),
    ({"define"}, {PUBLISH}, {READ, PUBLISH}),
    ({"define", "read"}, {DEFINE}, {READ, DEFINE}),
    ({"define"}, set(), set()),
    ({"define"}, {"metrics:everything", "crm:admin"}, set()),
    ({"ingest"}, {ADMIN}, set()),
]


@pytest.mark.parametrize(("scopes", "named", "expected"), ROLE_TABLE)
def test_roles_come_from_scopes_and_are_bounded_by_them(
    scopes: set[str], named: set[str] | None, expected: set[str]
) -> None:
    assert roles_of(scopes, named) == expected


def test_only_an_operator_looks_into_other_workspaces() -> None:
    assert OPERATOR.within("other").workspace_id == "other"
    assert [actor.within("other").workspace_id for actor in (BOSS, READER, GUEST, CY)] == ["acme"] * 4
