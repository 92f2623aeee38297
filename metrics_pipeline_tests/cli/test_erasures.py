"""`metrics-pipeline erasure ...` as a person uses it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.cli.conftest import Run

Rows = Callable[[str], list[dict[str, object]]]


def test_asked_for_carried_out_and_proved(run: Run, rows: Rows) -> None:
    run("workspace add Acme")
    asked = run("erasure request planted-1 --workspace acme")
    assert "planted" not in asked
    [row] = rows("erasure list --workspace acme")
    assert (row["state"], row["requested_by"]) == ("requested", "command line")
    assert str(row["erasure_id"]) in run("erasure run")
    proof = json.loads(run(f"erasure show {row['erasure_id']}"))
    assert proof["state"] == "completed"
    assert set(proof["proof"]["rows_deleted"].values()) == {0}
    assert "planted" not in json.dumps(proof)
    assert "Erased 0 people" in run("erasure run")


def test_the_user_may_come_from_standard_input(run: Run, rows: Rows) -> None:
    run("workspace add Acme")
    run("erasure request --workspace acme --user-stdin", stdin="planted 2\n")
    run("erasure run")
    assert "taken again" in run("erasure allow --workspace acme --user-stdin", stdin="planted 2\n")
    assert len(rows("erasure list")) == 1


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("erasure request --workspace acme", "Name the person"),
        ("erasure request u1 --user-stdin --workspace acme", "Name the person"),
        ("erasure request u1 --workspace nowhere", "There is no workspace 'nowhere'"),
        ("erasure show era-1", "erasure list"),
        ("erasure allow u1 --workspace acme", "No person of that id was erased"),
    ],
)
def test_mistakes_are_one_sentence(run: Run, command: str, says: str) -> None:
    run("workspace add Acme")
    with pytest.raises(UserError, match=says):
        run(command)


def test_who_waits_cannot_return_yet(run: Run) -> None:
    run("workspace add Acme")
    run("erasure request u1 --workspace acme")
    with pytest.raises(UserError, match="still waits"):
        run("erasure allow u1 --workspace acme")


def test_without_any_the_list_says_how(run: Run) -> None:
    assert "erasure request" in run("erasure list")
