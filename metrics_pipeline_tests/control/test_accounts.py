"""Accounts: adding, reviving, the status they have, and their tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine

from metrics_pipeline.control.account_status import disable, enable, mark_needs_reauth, remove_account, set_token
from metrics_pipeline.control.accounts import AccountRecord, add_account, get_account, list_accounts, read_token
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.control.conftest import NOW

LATER = NOW + timedelta(hours=3)


@pytest.fixture
def acme(engine: Engine) -> Engine:
    add_workspace(engine, "acme", now=NOW)
    return engine


@pytest.fixture
def account(acme: Engine, ring: KeyRing) -> AccountRecord:
    return add_account(acme, ring, "acme", "instagram", "17841", token="secret", now=NOW)


def test_an_account_with_a_token_is_active(acme: Engine, ring: KeyRing, account: AccountRecord) -> None:
    assert (account.account_id, account.status, account.status_reason) == ("instagram-17841", "active", None)
    assert account.credentials_updated_at == NOW
    assert get_account(acme, "instagram-17841") == account
    assert read_token(acme, ring, account) == "secret"


def test_an_account_without_a_token_waits(acme: Engine, ring: KeyRing) -> None:
    record = add_account(acme, ring, "acme", "YouTube", " UC_x5/ab ", now=NOW)
    assert (record.platform, record.external_id, record.account_id) == ("youtube", "UC_x5/ab", "youtube-UC_x5-ab")
    assert (record.status, record.status_reason) == ("needs_reauth", "no token stored yet")
    with pytest.raises(UserError, match="has no token; store one with: metrics-pipeline account token"):
        read_token(acme, ring, record)


@pytest.mark.parametrize(
    ("workspace", "platform", "external_id", "account_id", "token", "sentence"),
    [
        ("nope", "x", "1", None, None, "no workspace 'nope'; there is acme"),
        ("acme", "myspace", "1", None, None, "'myspace' is not known; use one of facebook, .*, youtube"),
        ("acme", "x", " ", None, None, "external id"),
        ("acme", "x", "1 2", None, None, "external id"),
        ("acme", "x", "1", "a b", None, "'a b' cannot be used"),
        ("acme", "x", "1", None, " \n", "token is empty"),
        ("acme", "x", "1", None, "one\ntwo", "not one line"),
        ("acme", "x", "1", None, "t" * 20_000, "at most 16384"),
    ],
)
def test_what_cannot_be_an_account(
    acme: Engine,
    ring: KeyRing,
    workspace: str,
    platform: str,
    external_id: str,
    account_id: str | None,
    token: str | None,
    sentence: str,
) -> None:
    with pytest.raises(UserError, match=sentence):
        add_account(acme, ring, workspace, platform, external_id, account_id, token, now=NOW)
    assert list_accounts(acme) == []


def test_the_same_account_is_added_once(acme: Engine, ring: KeyRing, account: AccountRecord) -> None:
    with pytest.raises(UserError, match="is in workspace acme as instagram-17841"):
        add_account(acme, ring, "acme", "instagram", "17841", "other-id", now=NOW)
    with pytest.raises(UserError, match="belongs to the instagram account 17841; choose another --id"):
        add_account(acme, ring, "acme", "x", "1", "instagram-17841", now=NOW)


def test_a_removed_account_comes_back_under_its_old_id(acme: Engine, ring: KeyRing) -> None:
    first = add_account(acme, ring, "acme", "x", "1", "main", "old", now=NOW)
    removed = remove_account(acme, "main", now=LATER)
    assert (removed.removed_at, removed.credentials_updated_at) == (LATER, None)
    assert list_accounts(acme) == []
    with pytest.raises(UserError, match="has no token"):
        read_token(acme, ring, first)
    with pytest.raises(UserError, match="no account 'main'"):
        remove_account(acme, "main", now=LATER)

    again = add_account(acme, ring, "acme", "x", "1", token="new", now=LATER)
    assert (again.account_id, again.created_at, again.removed_at, again.status) == ("main", NOW, None, "active")
    assert read_token(acme, ring, again) == "new"


def test_a_removed_account_may_also_come_back_under_another_id(acme: Engine, ring: KeyRing) -> None:
    add_account(acme, ring, "acme", "x", "1", "main", now=NOW)
    remove_account(acme, "main", now=NOW)
    assert add_account(acme, ring, "acme", "x", "1", "fresh", now=NOW).account_id == "fresh"
    everything = list_accounts(acme, workspace_id="acme", include_removed=True)
    assert [(record.account_id, record.removed_at) for record in everything] == [("fresh", None), ("main", NOW)]


def test_an_id_in_two_workspaces_needs_the_workspace(acme: Engine, ring: KeyRing, account: AccountRecord) -> None:
    add_workspace(acme, "beta", now=NOW)
    twin = add_account(acme, ring, "beta", "instagram", "17841", now=NOW)
    with pytest.raises(UserError, match=r"several workspaces \(acme, beta\); choose with --workspace"):
        get_account(acme, "instagram-17841")
    assert get_account(acme, "instagram-17841", "beta") == twin
    disable(acme, "instagram-17841", "beta", now=NOW)
    assert get_account(acme, "instagram-17841", "acme").status == "active"
    with pytest.raises(UserError, match="no account 'x' in workspace beta; see: metrics-pipeline account list"):
        get_account(acme, "x", "beta")


def test_lists_are_narrowed_by_workspace_and_platform(acme: Engine, ring: KeyRing, account: AccountRecord) -> None:
    add_workspace(acme, "beta", now=NOW)
    add_account(acme, ring, "beta", "x", "1", now=NOW)
    assert [record.workspace_id for record in list_accounts(acme)] == ["acme", "beta"]
    assert list_accounts(acme, workspace_id="acme", platform="instagram") == [account]
    assert list_accounts(acme, workspace_id="acme", platform="x") == []
    with pytest.raises(UserError, match="no workspace 'nope'"):
        list_accounts(acme, workspace_id="nope")


def test_a_refused_token_puts_the_account_aside_until_a_new_one(
    acme: Engine, ring: KeyRing, account: AccountRecord
) -> None:
    marked = mark_needs_reauth(acme, "acme", account.account_id, "code 190", now=LATER)
    assert (marked.status, marked.status_reason, marked.updated_at) == ("needs_reauth", "code 190", LATER)
    renewed = set_token(acme, ring, account.account_id, "fresh\n", now=LATER)
    assert (renewed.status, renewed.status_reason, renewed.credentials_updated_at) == ("active", None, LATER)
    assert read_token(acme, ring, renewed) == "fresh"


def test_a_late_refusal_of_the_old_token_leaves_the_new_one_alone(
    acme: Engine, ring: KeyRing, account: AccountRecord
) -> None:
    set_token(acme, ring, account.account_id, "fresh", now=LATER)
    late = mark_needs_reauth(
        acme,
        "acme",
        account.account_id,
        "code 190",
        now=LATER,
        credentials_updated_at=account.credentials_updated_at,
    )
    assert late.status == "active"


def test_disabled_stays_disabled_until_enabled(acme: Engine, ring: KeyRing, account: AccountRecord) -> None:
    disable(acme, account.account_id, reason="paused", now=NOW)
    assert mark_needs_reauth(acme, "acme", account.account_id, "code 190", now=NOW).status_reason == "paused"
    assert set_token(acme, ring, account.account_id, "fresh", now=LATER).status == "disabled"
    assert enable(acme, account.account_id, now=LATER).status == "active"


def test_enabling_without_a_token_asks_for_one(acme: Engine, ring: KeyRing) -> None:
    add_account(acme, ring, "acme", "x", "1", now=NOW)
    disable(acme, "x-1", now=NOW)
    assert enable(acme, "x-1", now=NOW).status == "needs_reauth"


def test_instants_come_back_in_utc(acme: Engine, ring: KeyRing) -> None:
    berlin = datetime(2026, 7, 1, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    add_account(acme, ring, "acme", "x", "1", now=berlin)
    read_back = get_account(acme, "x-1").created_at
    assert read_back == berlin
    assert read_back.tzinfo is UTC
