"""Every change of an account's status is written down with it, once, and stays when the account goes."""

from __future__ import annotations

from datetime import timedelta

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from metrics_pipeline.control.account_events import forget_changes, platforms_with_changes, status_changes
from metrics_pipeline.control.account_status import disable, enable, mark_needs_reauth, remove_account, set_token
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.database import control_engine, open_control
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.schema import MIGRATIONS
from metrics_pipeline.control.workspaces import add_workspace, remove_workspace
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.control.conftest import NOW

LATER = NOW + timedelta(hours=1)


def history(engine: Engine, platform: str = "x") -> list[tuple[str, str, str | None]]:
    return [(c.account_id, c.status, c.reason) for c in status_changes(engine, platform)]


def test_what_happens_to_an_account_is_written_down_in_order(engine: Engine, ring: KeyRing) -> None:
    add_workspace(engine, "W", "w", now=NOW)
    add_account(engine, ring, "w", "x", "1", now=NOW)
    set_token(engine, ring, "x-1", "token", now=NOW)
    mark_needs_reauth(engine, "w", "x-1", "the token was revoked", now=NOW)
    disable(engine, "x-1", reason="by hand", now=NOW)
    enable(engine, "x-1", now=NOW)
    remove_account(engine, "x-1", now=LATER)
    add_account(engine, ring, "w", "x", "1", token="token", now=LATER)
    assert history(engine) == [
        ("x-1", "needs_reauth", "no token stored yet"),
        ("x-1", "connected", None),
        ("x-1", "needs_reauth", "the token was revoked"),
        ("x-1", "disabled", "by hand"),
        ("x-1", "connected", None),
        ("x-1", "removed", "the account was removed"),
        ("x-1", "connected", None),
    ]
    changes = status_changes(engine, "x")
    assert [c.number for c in changes] == sorted({c.number for c in changes})
    assert [c.at for c in changes] == [NOW] * 5 + [LATER] * 2
    assert {c.external_id for c in changes} == {"1"}


def test_what_changes_nothing_is_not_written_down(engine: Engine, ring: KeyRing) -> None:
    add_workspace(engine, "W", "w", now=NOW)
    add_account(engine, ring, "w", "x", "1", token="token", now=NOW)
    enable(engine, "x-1", now=NOW)
    set_token(engine, ring, "x-1", "another", now=LATER)
    assert history(engine) == [("x-1", "connected", None)]


def test_with_a_workspace_go_its_accounts(engine: Engine, ring: KeyRing) -> None:
    for workspace in ("w", "v"):
        add_workspace(engine, workspace.upper(), workspace, now=NOW)
        add_account(engine, ring, workspace, "x", "1", "a", "token", now=NOW)
    add_account(engine, ring, "w", "x", "2", "b", "token", now=NOW)
    remove_account(engine, "b", now=NOW)
    remove_workspace(engine, "w", now=LATER)
    remove_workspace(engine, "w", now=LATER)
    of_w = [(c.account_id, c.status, c.at) for c in status_changes(engine, "x") if c.workspace_id == "w"]
    assert of_w == [
        ("a", "connected", NOW),
        ("b", "connected", NOW),
        ("b", "removed", NOW),
        ("a", "removed", LATER),
    ]
    assert platforms_with_changes(engine) == ["x"]
    assert forget_changes(engine, "w") == 4
    assert [c.workspace_id for c in status_changes(engine, "x")] == ["v"]


def test_accounts_from_before_begin_with_the_status_they_have(new_settings: Settings, ring: KeyRing) -> None:
    engine = open_control(new_settings)
    add_workspace(engine, "W", "w", now=NOW)
    for external_id in ("1", "2", "3"):
        add_account(engine, ring, "w", "x", external_id, token="token", now=NOW)
    disable(engine, "x-2", reason="by hand", now=LATER)
    remove_account(engine, "x-3", now=LATER)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with control_engine(new_settings).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0003")
        assert connection.execute(text("select count(*) from accounts")).scalar() == 3
    engine = open_control(new_settings)
    changes = {c.account_id: (c.status, c.reason, c.at) for c in status_changes(engine, "x")}
    assert changes == {
        "x-1": ("connected", None, NOW),
        "x-2": ("disabled", "by hand", LATER),
        "x-3": ("removed", None, LATER),
    }
