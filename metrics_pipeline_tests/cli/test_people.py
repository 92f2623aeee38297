"""`metrics-pipeline principal`, `team` and `period` as a person uses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.cli.conftest import Run
from metrics_pipeline_tests.cli.test_keys import made

Rows = Callable[[str], list[dict[str, object]]]


@pytest.fixture(autouse=True)
def _workspace(run: Run) -> None:
    run("workspace add Acme")


def test_people_in_teams(run: Run, rows: Rows) -> None:
    printed = run("principal add ada --workspace acme --role metrics:publish --role metrics:define --name Ada")
    assert "key create --workspace acme --scope define --principal ada" in printed
    run("principal add reports@acme.example --workspace acme")
    run("team add growth --workspace acme")
    assert "ada joined team growth" in run("team join growth ada --workspace acme")
    assert "ada is already in team growth" in run("team join growth ada --workspace acme")
    assert [(row["principal_id"], row["roles"], row["teams"]) for row in rows("principal list")] == [
        ("ada", "metrics:define,metrics:publish", "growth"),
        ("reports@acme.example", "metrics:read", None),
    ]
    assert [(row["team_id"], row["members"]) for row in rows("team list --workspace acme")] == [("growth", "ada")]
    assert "ada left team growth" in run("team leave growth ada --workspace acme")
    assert "ada was not in team growth" in run("team leave growth ada --workspace acme")
    assert "Removed team growth" in run("team remove growth --workspace acme")
    assert rows("team list") == []


def test_a_key_acts_for_somebody_until_that_one_is_removed(run: Run, rows: Rows) -> None:
    run("principal add ada --workspace acme")
    _, key_id = made(run("key create --workspace acme --scope define --principal ada"))
    run(f"key rotate {key_id}")
    assert [row["principal_id"] for row in rows("key list")] == ["ada", "ada"]
    assert "2 of its keys revoked" in run("principal remove ada --workspace acme")
    assert rows("key list") == rows("principal list") == []
    run("principal add ada --workspace acme --role metrics:define")
    assert [(row["principal_id"], row["teams"]) for row in rows("principal list")] == [("ada", None)]


def test_calendars(run: Run, rows: Rows, tmp_path: Path) -> None:
    file = tmp_path / "fiscal.csv"
    file.write_text("label,start,end\nP1,2026-01-04,2026-02-01\nP2,2026-02-01,2026-03-01\n")
    assert "2 ranges, 2026-01-04 to before 2026-03-01" in run(f"period add fiscal --workspace acme --file {file}")
    run("period add flights --workspace acme --range spring=2026-03-01..2026-04-15")
    assert [(row["name"], row["label"], row["end"]) for row in rows("period list --workspace acme")] == [
        ("fiscal", "P1", "2026-02-01"),
        ("fiscal", "P2", "2026-03-01"),
        ("flights", "spring", "2026-04-15"),
    ]
    run("period remove fiscal --workspace acme")
    assert [row["name"] for row in rows("period list --workspace acme")] == ["flights"]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("principal add a/b --workspace acme", "cannot be used"),
        ("principal add cli --workspace acme", "cannot be used"),
        ("principal add ada --workspace acme --role admin", "no role 'admin'"),
        ("principal add ada --workspace nope", "no workspace 'nope'"),
        ("principal remove ada --workspace acme", "no 'ada' in workspace acme"),
        ("team join growth ada --workspace acme", "no team 'growth'"),
        ("key create --workspace acme --scope define --principal ada", "no 'ada' in workspace acme"),
        ("key create --operator --scope admin --principal ada", "leave --principal out"),
        ("period add fiscal --workspace acme", "Say the ranges"),
        ("period add fiscal --workspace acme --range P1=2026-01-04", "write LABEL=START..END"),
        ("period add fiscal --workspace acme --range P1=2026-01-04..soon", "'soon' is no date"),
        ("period add fiscal --workspace acme --file nothing.csv", "cannot be read"),
        ("period remove fiscal --workspace acme", "no calendar 'fiscal'"),
    ],
)
def test_mistakes_are_one_sentence(run: Run, command: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        run(command)
