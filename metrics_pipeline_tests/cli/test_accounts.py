"""`metrics-pipeline account ...` and `credentials ...` as a person uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from metrics_pipeline.control.accounts import get_account, read_token
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.cli.conftest import Run
from metrics_pipeline_tests.cli.test_workspaces import process

Rows = Callable[[str], list[dict[str, object]]]
TOKEN = "EAAB-planted-token-77aa"


@pytest.fixture
def acme(run: Run) -> Run:
    run("workspace add Acme")
    return run


def stored_token(account_id: str) -> str:
    settings = load_settings()
    engine = open_control(settings)
    return read_token(engine, load_key_ring(settings), get_account(engine, account_id))


def test_an_empty_list_says_how_to_add(acme: Run, rows: Rows) -> None:
    assert "account add --workspace ID" in acme("account list")
    assert "account add --workspace acme" in acme("account list --workspace acme")
    assert rows("account list") == []


def test_a_token_comes_by_stdin_and_is_never_shown(acme: Run, rows: Rows) -> None:
    printed = acme("account add --workspace acme --platform x --external-id 42 --token-stdin", TOKEN + "\n")
    assert printed.strip() == "Added account x-42 to workspace acme: active."
    shown = acme("account list") + acme("account list --format json")
    assert TOKEN not in printed + shown
    assert [(row["account_id"], row["status"]) for row in rows("account list")] == [("x-42", "active")]
    assert stored_token("x-42") == TOKEN


def test_without_a_token_the_next_command_is_named_and_works(acme: Run, rows: Rows) -> None:
    printed = acme("account add --workspace acme --platform youtube --external-id UC1 --id main")
    assert "main to workspace acme: needs_reauth" in printed
    assert "metrics-pipeline account token main --workspace acme --token-stdin" in printed
    assert "active" in acme("account token main --workspace acme --token-stdin", TOKEN)
    assert stored_token("main") == TOKEN


def test_disable_enable_remove(acme: Run, rows: Rows) -> None:
    acme("account add --workspace acme --platform x --external-id 42 --token-stdin", TOKEN)
    assert "metrics-pipeline account enable x-42" in acme("account disable x-42")
    assert rows("account list")[0]["status"] == "disabled"
    assert "account enable x-42" in acme("account token x-42 --token-stdin", "new-token")
    assert "x-42 is active" in acme("account enable x-42")
    assert "its numbers stay" in acme("account remove x-42 --workspace acme")
    assert rows("account list") == []
    with pytest.raises(UserError, match="no account 'x-42'"):
        acme("account enable x-42")


def test_a_token_is_taken_from_stdin_only(acme: Run) -> None:
    with pytest.raises(UserError, match="add --token-stdin"):
        acme("account token x-42")


def test_rotation_names_what_may_go(acme: Run) -> None:
    acme("account add --workspace acme --platform x --external-id 42 --token-stdin", TOKEN)
    assert "0 tokens moved" in acme("credentials rotate")
    printed = acme("credentials rotate --new-key")
    assert "1 token moved to key local-" in printed
    assert "can go from" in printed
    assert stored_token("x-42") == TOKEN


def test_wrong_input_exits_with_2_and_one_sentence(tmp_path: Path) -> None:
    here = {"METRICS_DATA_DIR": str(tmp_path)}
    assert process("workspace", "add", "Acme", **here).returncode == 0
    add = ("account", "add", "--workspace", "acme", "--external-id", "1", "--platform")
    unknown = process(*add, "myspace", **here)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("error: Platform 'myspace' is not known; use one of facebook, instagram,")
    assert unknown.stderr.count("\n") == 1

    (tmp_path / "secret_keys").chmod(0o644)
    open_to_all = process(*add, "x", "--token-stdin", stdin=TOKEN, **here)
    assert open_to_all.returncode == 2
    assert "chmod 600" in open_to_all.stderr
    assert TOKEN not in open_to_all.stderr + open_to_all.stdout


def test_the_history_tells_what_happened_also_of_an_account_that_is_gone(acme: Run, rows: Rows) -> None:
    acme("account add --workspace acme --platform x --external-id 42 --token-stdin", TOKEN)
    acme("account disable x-42")
    acme("account remove x-42")
    versions = rows("account history x-42")
    assert [(v["status"], v["reason"]) for v in versions] == [
        ("connected", None),
        ("disabled", "disabled by hand"),
        ("removed", "the account was removed"),
    ]
    assert versions[0]["valid_to"] == versions[1]["valid_from"]
    assert versions[-1]["valid_to"] is None
    assert "disabled by hand" in acme("account history x-42 --workspace acme")
    assert json.loads(acme("sql --format json", "select status from accounts")) == [{"status": "removed"}]
    with pytest.raises(UserError, match="never was an account 'x-43'"):
        acme("account history x-43")


def test_an_id_in_two_workspaces_has_to_be_told_apart(acme: Run, rows: Rows) -> None:
    acme("workspace add Beta")
    for workspace in ("acme", "beta"):
        acme(f"account add --workspace {workspace} --platform x --external-id 42 --id a")
    with pytest.raises(UserError, match=r"several workspaces \(acme, beta\)"):
        acme("account history a")
    assert [row["workspace_id"] for row in rows("account history a --workspace beta")] == ["beta"]


def test_with_a_purge_the_history_goes_too(acme: Run, rows: Rows) -> None:
    acme("account add --workspace acme --platform x --external-id 42")
    acme("workspace remove acme")
    assert [row["reason"] for row in rows("account history x-42")][-1] == "the workspace was removed"
    acme("workspace remove acme --purge")
    with pytest.raises(UserError, match="never was an account"):
        acme("account history x-42")


def test_a_change_is_made_also_while_the_lake_cannot_be_written(acme: Run, rows: Rows, tmp_path: Path) -> None:
    blocker = tmp_path / "data" / "lake"
    blocker.write_text("in the way")
    printed = acme("account add --workspace acme --platform x --external-id 42")
    assert "account_history gets it with the next collection" in printed
    assert [row["account_id"] for row in rows("account list")] == ["x-42"]
    blocker.unlink()
    assert [row["status"] for row in rows("account history x-42")] == ["needs_reauth"]
