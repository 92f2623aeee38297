"""`metrics-pipeline metric ...` from an example to its values, and what a user gets wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.cli.conftest import Run

SHOP = """
- {name: sales, type: simple, dataset: orders, agg: count, fill_nulls_with: 0}
- {name: sales_7d, type: cumulative, input_metric: sales, window: 7 days}
"""


@pytest.fixture
def shop(run: Run) -> Run:
    run("workspace add Acme --id acme")
    run("metric add - --workspace acme", SHOP)
    return run


def test_a_file_is_added_once_and_changes_make_versions(shop: Run) -> None:
    again = shop("metric add - --workspace acme", SHOP)
    changed = shop("metric add - --workspace acme --note less", SHOP.replace("count,", "count, expr: customer_id,"))

    assert again.splitlines() == ["sales: unchanged, version 1", "sales_7d: unchanged, version 1"]
    assert "sales: updated, version 2" in changed
    assert "sales_7d: updated, version 2" in changed
    history = shop("metric history sales --workspace acme")
    assert [line.split()[0] for line in history.splitlines()[1:]] == ["1", "2"]
    assert "expr: customer_id" in shop("metric show sales --workspace acme")
    assert "expr" not in shop("metric show sales --workspace acme --version 1")
    assert "version 1 is in force" in shop("metric activate sales 1 --workspace acme")


def test_what_is_shown_can_be_added_again(shop: Run) -> None:
    shown = shop("metric show sales_7d --workspace acme")

    assert shop("metric add - --workspace acme", shown).splitlines() == ["sales_7d: unchanged, version 1"]


def test_every_example_is_valid_and_shows_what_it_would_be(run: Run) -> None:
    run("workspace add Acme --id acme")
    names = [line.split(":")[0] for line in run("metric examples").splitlines() if not line.startswith(" ")]

    told = run("metric validate --workspace acme --example roi")

    assert len(names) == 7
    assert "roi.expr = (income - campaign_cost) / campaign_cost" in told
    assert "no_data, not complete" in told
    assert "No metrics yet" in run("metric list --workspace acme")


def test_values_by_grain_and_by_a_calendar(shop: Run) -> None:
    shop("period add flights --workspace acme --range Autumn=2026-01-05..2026-01-20")

    by_week = shop("metric calculate sales --workspace acme --from 2026-01-05 --to 2026-01-19 --grain week")
    by_flight = shop("metric calculate sales --workspace acme --calendar flights")

    assert [line.split()[:4] for line in by_week.splitlines()[1:]] == [
        ["2026-01-05", "2026-01-12", "-", "no_data"],
        ["2026-01-12", "2026-01-19", "-", "no_data"],
    ]
    assert by_flight.splitlines()[1].split()[:5] == ["Autumn", "2026-01-05", "2026-01-20", "-", "no_data"]


def test_archive_and_its_undo(shop: Run) -> None:
    with pytest.raises(UserError, match="sales_7d is made of it"):
        shop("metric archive sales --workspace acme")

    assert "with it sales_7d" in shop("metric archive sales --workspace acme --force")
    assert "No metrics yet" in shop("metric list --workspace acme")
    assert "sales_7d" in shop("metric list --workspace acme --status archived")
    assert "Restored sales, version 1" in shop("metric restore sales --workspace acme")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("metric add --workspace acme", "Name a file of definitions"),
        ("metric add --workspace acme --example nope", "There is no example 'nope'"),
        ("metric add /nowhere.yaml --workspace acme", "/nowhere.yaml cannot be read"),
        ("metric list --workspace nope", "There is no workspace 'nope'"),
        ("metric show nope --workspace acme", "There is no such metric"),
        ("metric calculate sales --workspace acme", "Say which days"),
        ("metric calculate sales --workspace acme --calendar nope", "There is no calendar 'nope'"),
        ("metric calculate sales --workspace acme --from 2026-01-01 --by country", "broken down by nothing"),
        ("metric calculate sales --workspace acme --from yesterday", "no date"),
    ],
)
def test_mistakes_are_told_in_a_sentence(shop: Run, command: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        shop(command)


def test_every_fault_of_a_file_is_told_with_its_place(shop: Run, tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(
        "- {name: good, type: simple, dataset: orders, agg: count}\n"
        "- {name: odd, type: simple, dataset: orders, agg: sum, expr: count(x),"
        " filters: [{field: zz, op: eq, value: 1}]}\n"
    )

    with pytest.raises(UserError) as caught:
        shop(f"metric add {file} --workspace acme")

    lines = str(caught.value).splitlines()
    assert lines[0] == "Nothing was stored:"
    assert lines[1].startswith("  odd /expr: ")
    assert lines[1].endswith("(expr_aggregate_not_allowed)")
    assert lines[2] == "  odd /filters/0/field: orders has no such field. (filter_unknown_field)"
    with pytest.raises(UserError, match="no such metric"):
        shop("metric show good --workspace acme")
