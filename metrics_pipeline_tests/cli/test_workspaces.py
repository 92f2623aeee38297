"""`metrics-pipeline workspace ...` as a person uses it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.cli.conftest import Run

Rows = Callable[[str], list[dict[str, object]]]


def process(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from metrics_pipeline.cli.main import main; main()", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "COLUMNS": "80", **environment},
    )


def test_an_empty_list_says_how_to_add(run: Run, rows: Rows) -> None:
    assert run("workspace list").strip() == ("No workspaces yet. Add one with: metrics-pipeline workspace add NAME")
    assert rows("workspace list") == []


def test_add_says_what_comes_next(run: Run, rows: Rows) -> None:
    printed = run("workspace add Acme")
    assert "Added workspace acme." in printed
    assert "metrics-pipeline account add --workspace acme" in printed
    run("workspace add Beta --id b-2")
    assert [(row["workspace_id"], row["name"], row["accounts"]) for row in rows("workspace list")] == [
        ("acme", "Acme", 0),
        ("b-2", "Beta", 0),
    ]
    table = run("workspace list").splitlines()
    assert table[0].split() == ["workspace", "id", "name", "accounts", "created", "at"]
    assert table[2].split()[:3] == ["b-2", "Beta", "0"]


def test_a_name_in_square_brackets_is_shown_as_typed(run: Run) -> None:
    run("workspace add [bold]Acme[/bold] --id acme")
    assert "[bold]Acme[/bold]" in run("workspace list")


def test_removal_keeps_the_numbers_and_says_so(run: Run, rows: Rows) -> None:
    run("workspace add Acme")
    printed = run("workspace remove acme")
    assert "its numbers stay" in printed
    assert "metrics-pipeline workspace remove acme --purge" in printed
    assert rows("workspace list") == []
    with pytest.raises(UserError, match="no workspace 'nope'"):
        run("workspace remove nope")


def test_data_dir_option_wins_over_the_environment(run: Run, tmp_path: Path) -> None:
    run(f"workspace add Acme --data-dir {tmp_path / 'elsewhere'}")
    assert (tmp_path / "elsewhere" / "control.db").exists()
    assert not (tmp_path / "data").exists()


def test_a_mistake_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    failed = process("workspace", "remove", "nope", METRICS_DATA_DIR=str(tmp_path))
    assert failed.returncode == 2
    assert failed.stdout == ""
    assert failed.stderr == ("error: There is no workspace 'nope'; add one with: metrics-pipeline workspace add NAME\n")
    unreachable = process("workspace", "list", METRICS_DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/x")
    assert unreachable.returncode == 2
    assert unreachable.stderr.count("\n") == 1
    assert "hunter2" not in unreachable.stderr
    assert process("workspace", "remove").returncode == 2
