"""`sql --as-of` and `restatements`: earlier numbers under today's names, and what became of them."""

from __future__ import annotations

import csv
import io
import json

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.aggregation.readings import World, at, counter, day, insight, post
from metrics_pipeline_tests.cli.conftest import Run

SUNDAY = "2026-03-08"


@pytest.fixture
def restated(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A week of views, read every next morning; on Tuesday its Wednesday is restated and its Friday arrives."""
    monkeypatch.setenv("METRICS_NOW", "2026-03-11T00:00:00Z")
    monkeypatch.setenv("METRICS_PIPELINE_START", "2026-03-01")
    monkeypatch.setenv("METRICS_COLLECTION_START", "2026-03-01")
    pipeline = Pipeline(load_settings())
    pipeline.lake.initialise()
    days = [day(f"2026-03-0{n}") for n in range(2, 9)]
    World(
        insights=[insight("views", d, 100, read_at=at(f"{d} 23:59"), run_id="morning") for d in days if d.day != 6]
        + [
            insight("views", day("2026-03-04"), 150, read_at=at("2026-03-10 02:00"), run_id="aaaabbbbcccc"),
            insight("views", day("2026-03-06"), 70, read_at=at("2026-03-10 02:00"), run_id="aaaabbbbcccc"),
        ],
        counters=[counter("followers", at(f"{d} 23:50"), 10, kind="gauge") for d in days],
        posts=[post("p", at("2026-03-03 08:00"), seen_at=at("2026-03-09 08:00"), title="Seen late")],
    ).write(pipeline.engine)
    return run


def test_names_mean_what_was_known(restated: Run) -> None:
    def known(options: str) -> object:
        query = (
            "select views, (select count(*) from posts) as posts, (select count(*) from account_daily) as days, "
            "(select list(table_name) from information_schema.tables) as names "
            "from account_weekly where week_start = '2026-03-02'"
        )
        (row,) = json.loads(restated(f"sql --format json {options}", stdin=query))
        names = row.pop("names")
        assert "workspace_monthly" in names
        assert "content_metrics" not in names
        return tuple(row.values())

    assert known(f"--as-of {SUNDAY}") == (600, 0, 7)
    assert known("--as-of 2026-03-10T02:00:00Z --from 2026-03-03 --to 2026-03-05") == (720, 1, 2)


def test_the_report_says_what_changed_and_who_brought_it(restated: Run) -> None:
    text = restated(f"restatements --since {SUNDAY} --grain day --metric views --account main --format json")
    # the summary is on stderr, which comes together with the rows here
    found = json.loads(next(line for line in text.splitlines() if line.startswith("[")))
    assert [
        [row[c] for c in ("period_start", "kind", "value_then", "value_now", "relative_change", "brought_by")]
        for row in found
    ] == [
        ["2026-03-04", "restated", 100, 150, 0.5, ["run aaaabbbbcccc"]],
        ["2026-03-06", "arrived late", None, 70, None, ["run aaaabbbbcccc"]],
    ]
    text = restated(f"restatements --since {SUNDAY} --limit 1 --workspace acme")
    assert "run aaaabbbb" in text
    assert "+50.0 %" in text
    assert "The first 1 are shown." in text
    lines = restated(f"restatements --since {SUNDAY} --grain week --metric views --from 2026-03-02 --format csv")
    weeks = [
        line
        for line in csv.DictReader(io.StringIO(lines[lines.index("grain,") :]))
        if line["entity_type"] == "workspace"
    ]
    assert {(w["platform"], w["value_then"], w["value_now"]) for w in weeks} == {("instagram", "600.0", "720.0")}
    assert "Nothing was learnt" in restated("restatements --since 2026-03-10T12:00:00Z")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sql --as-of 2026-03-12", "--as-of 2026-03-12 lies in the future"),
        ("sql --as-of 2026-02-01", "before the first day that has numbers, 2026-03-01"),
        ("sql --as-of soon", "neither a day nor an instant"),
        ("sql --from 2026-03-01", "belong to --as-of"),
        ("sql --as-of 2026-03-08", "content_metrics.*\nWith --as-of only what has a past"),
        ("restatements --since 2026-03-09 --until 2026-03-08", "--until 2026-03-08 has to lie after --since"),
        ("restatements --since 2026-03-09 --until 2026-03-12", "--until 2026-03-12 lies in the future"),
        ("restatements --since 2026-03-05 --metric vews", "not in the catalogue"),
        ("restatements --since 2026-03-05 --grain year", "there are day, week, month"),
        ("restatements --since 2026-03-05 --from 2026-03-02 --to 2026-03-02", "must lie after --from"),
    ],
)
def test_what_cannot_be_asked_is_one_error(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str, message: str
) -> None:
    monkeypatch.setenv("METRICS_NOW", "2026-03-11T00:00:00Z")
    monkeypatch.setenv("METRICS_PIPELINE_START", "2026-03-01")
    with pytest.raises(UserError, match=f"(?s){message}"):
        run(command, stdin="from content_metrics")
