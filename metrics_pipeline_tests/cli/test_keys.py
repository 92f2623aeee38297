"""`metrics-pipeline key ...` as a person uses it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.cli.conftest import Run
from metrics_pipeline_tests.cli.test_workspaces import process

Rows = Callable[[str], list[dict[str, object]]]
KEY = re.compile(r"mk_([0-9A-Za-z]{10})_[0-9A-Za-z]{49}")


def made(printed: str) -> tuple[str, str]:
    """The key that a command printed, and its id."""
    [found] = KEY.finditer(printed)
    return found[0], found[1]


def test_a_key_is_shown_once_and_then_only_described(run: Run, rows: Rows) -> None:
    run("workspace add Acme")
    key, key_id = made(run("key create --workspace acme --scope read --scope ingest --label backend --expires-days 30"))
    [row] = rows("key list")
    assert (row["key_id"], row["workspace_id"], row["scopes"], row["label"], row["state"], row["last_used_at"]) == (
        key_id,
        "acme",
        "read,ingest",
        "backend",
        "active",
        None,
    )
    assert key[14:] not in run("key list") + str(rows("key list --revoked"))


def test_the_key_alone_is_on_stdout(tmp_path: object) -> None:
    environment = {"METRICS_DATA_DIR": str(tmp_path)}
    created = process("key", "create", "--operator", "--scope", "admin", **environment)
    assert created.returncode == 0
    assert KEY.fullmatch(created.stdout.strip())
    assert "all workspaces" in created.stderr
    assert created.stdout.strip() not in created.stderr


def test_rotation_and_revocation(run: Run, rows: Rows) -> None:
    run("workspace add Acme")
    _, old = made(run("key create --workspace acme --scope ingest --origin https://app.example"))
    _, new = made(run(f"key rotate {old} --overlap-hours 0"))
    assert [(row["key_id"], row["state"], row["rotated_from"]) for row in rows("key list")] == [
        (old, "expired", None),
        (new, "active", old),
    ]
    assert f"Revoked key {new}." in run(f"key revoke {new}")
    assert [row["key_id"] for row in rows("key list --workspace acme")] == [old]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("key create --scope read", "whose key it is"),
        ("key create --workspace acme --operator --scope read", "whose key it is"),
        ("key create --operator --scope ingest", "belong to a workspace"),
        ("key create --workspace acme --scope read", "no workspace 'acme'"),
        ("key revoke nothing", "no key 'nothing'"),
        ("key rotate nothing", "no key 'nothing'"),
    ],
)
def test_mistakes_are_one_sentence(run: Run, command: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        run(command)


def test_an_empty_list_says_how_to_make_one(run: Run) -> None:
    assert "metrics-pipeline key create" in run("key list")


def test_rotating_the_ring_names_the_keys_that_wait_for_their_next_use(run: Run) -> None:
    run("workspace add Acme")
    run("key create --workspace acme --scope read")
    assert "Not before 1 API key moved" in run("credentials rotate --new-key")
