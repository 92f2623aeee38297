"""Workspaces: adding, listing, removing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from metrics_pipeline.control.accounts import add_account, list_accounts
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.models import Credential
from metrics_pipeline.control.workspaces import add_workspace, count_accounts, list_workspaces, remove_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.control.conftest import NOW

LATER = NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Acme", "acme"), ("  Café  Zürich & Co. ", "cafe-zurich-co."), ("a" * 100, "a" * 64), ("v1.2_x", "v1.2_x")],
)
def test_the_id_is_made_from_the_name(engine: Engine, name: str, expected: str) -> None:
    record = add_workspace(engine, name, now=NOW)
    assert record.workspace_id == expected
    assert record.name == name.strip()
    assert list_workspaces(engine) == [record]
    assert record.created_at == NOW


@pytest.mark.parametrize(
    ("name", "workspace_id", "sentence"),
    [
        ("日本", None, "gives no id; name one with --id"),
        ("", None, "1 to 200 printable characters"),
        ("a\nb", None, "1 to 200 printable characters"),
        ("Acme", "a/b", "'a/b' cannot be used"),
        ("Acme", "", "'' cannot be used"),
        ("Acme", "x" * 65, "cannot be used"),
        ("Acme", "acme\n", "cannot be used"),
    ],
)
def test_what_cannot_be_a_workspace(engine: Engine, name: str, workspace_id: str | None, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        add_workspace(engine, name, workspace_id, now=NOW)
    assert list_workspaces(engine) == []


def test_an_id_is_used_once(engine: Engine) -> None:
    add_workspace(engine, "Acme", now=NOW)
    with pytest.raises(UserError, match="acme exists already"):
        add_workspace(engine, "ACME", now=NOW)
    assert add_workspace(engine, "Acme", "acme-2", now=NOW).workspace_id == "acme-2"


def test_removal_marks_the_workspace_and_its_accounts_and_deletes_the_tokens(engine: Engine, ring: KeyRing) -> None:
    for name in ("acme", "other"):
        add_workspace(engine, name, now=NOW)
        add_account(engine, ring, name, "x", "1", token="t", now=NOW)

    assert remove_workspace(engine, "acme", now=LATER).removed_at == LATER

    assert [record.workspace_id for record in list_workspaces(engine)] == ["other"]
    assert count_accounts(engine) == {"other": 1}
    gone = list_accounts(engine, workspace_id="acme", include_removed=True)
    assert [(record.removed_at, record.credentials_updated_at) for record in gone] == [(LATER, None)]
    with Session(engine) as session:
        assert session.execute(
            select(Credential.workspace_id, func.count()).group_by(Credential.workspace_id)
        ).all() == [("other", 1)]


def test_removal_twice_keeps_the_first_date(engine: Engine) -> None:
    add_workspace(engine, "acme", now=NOW)
    first = remove_workspace(engine, "acme", now=NOW)
    assert remove_workspace(engine, "acme", now=LATER) == first


def test_a_removed_workspace_comes_back_without_accounts(engine: Engine, ring: KeyRing) -> None:
    add_workspace(engine, "acme", now=NOW)
    add_account(engine, ring, "acme", "x", "1", now=NOW)
    remove_workspace(engine, "acme", now=NOW)
    assert add_workspace(engine, "Acme again", "acme", now=LATER).removed_at is None
    assert list_accounts(engine, workspace_id="acme") == []


def test_an_unknown_workspace_says_what_there_is(engine: Engine) -> None:
    with pytest.raises(UserError, match="add one with: metrics-pipeline workspace add NAME"):
        remove_workspace(engine, "nope", now=NOW)
    for number in range(12):
        add_workspace(engine, f"w{number:02}", now=NOW)
    with pytest.raises(UserError, match=r"there is w00, w01, .*, w09, \.\.\.\.$"):
        remove_workspace(engine, "nope", now=NOW)
