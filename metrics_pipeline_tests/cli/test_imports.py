"""`metrics-pipeline import ...` as a person uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.imports import list_imports
from metrics_pipeline.errors import UserError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.cli.conftest import Run
from metrics_pipeline_tests.cli.test_workspaces import process

Rows = Callable[[str], list[dict[str, object]]]
HEADER = "workspace_id,platform,account_id,metric,date,value"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "views.csv"
    path.write_text(f"{HEADER}\nacme,youtube,chan,views,2021-07-16,36\nacme,youtube,chan,views,2021-07-17,21\n")
    return path


def test_an_empty_list_says_how_to_import(run: Run, rows: Rows) -> None:
    assert run("import list").strip() == "No imports yet. Bring in a file with: metrics-pipeline import readings FILE"
    assert rows("import list") == []


def test_import_list_revert(run: Run, rows: Rows, file: Path) -> None:
    printed = run(f"import readings {file} --no-build")
    assert "Imported 2 readings of 2021-07-16 to 2021-07-17 from views.csv as imp-" in printed
    assert "Account chan (youtube, workspace acme) is not connected" in printed
    assert "Partitions begin with 2021-07-01 now" in printed
    (entry,) = rows("import list")
    assert (entry["file"], entry["accepted"], entry["rejected"]) == ("views.csv", 2, 0)
    assert (entry["first_date"], entry["reverted_at"]) == ("2021-07-16", None)

    same = run(f"import readings {file}")
    assert same.count("\n") == 1
    assert f"views.csv was imported already, on {str(entry['created_at'])[:10]}" in same
    assert "the numbers are unchanged" in run(f"import readings {file} --again --no-build")

    assert "2 readings of views.csv deleted" in run(f"import revert {entry['import_id']} --no-build")
    with pytest.raises(UserError, match="reverted already"):
        run(f"import revert {entry['import_id']} --no-build")
    with pytest.raises(UserError, match="no import 'nope'; see: metrics-pipeline import list"):
        run("import revert nope")


def test_bad_rows_are_shown_counted_and_written_to_a_report(run: Run, file: Path, tmp_path: Path) -> None:
    with file.open("a") as more:
        more.writelines(f"acme,youtube,chan,vews,2021-07-18,{n}\n" for n in range(25))
    report = tmp_path / "bad.csv"
    printed = run(f"import readings {file} --no-build --report {report}")
    assert "line 4: unknown metric 'vews'" in printed
    assert "line 23:" in printed
    assert "line 24:" not in printed
    assert "25 bad rows, 5 not shown" in printed
    assert "Imported 2 readings" in printed
    assert len(report.read_text().splitlines()) == 26


def test_strict_writes_nothing(run: Run, rows: Rows, file: Path) -> None:
    with file.open("a") as more:
        more.write("acme,youtube,chan,views,tomorrow,1\n")
    with pytest.raises(UserError, match=r"1 bad row in views.csv: nothing was imported"):
        run(f"import readings {file} --strict")
    assert rows("import list") == []
    with Pipeline(load_settings()).engine.session() as session:
        assert session.run("select * from insight_readings").read_all().num_rows == 0


def test_the_format_can_be_named(run: Run, tmp_path: Path) -> None:
    row = dict(zip(HEADER.split(","), ["acme", "x", "a", "likes", "2026-03-01", 1], strict=True))
    (tmp_path / "export.txt").write_text(json.dumps(row))
    assert "Imported 1 reading of" in run(f"import readings {tmp_path / 'export.txt'} --format ndjson --no-build")


def test_a_start_that_was_set_later_is_warned_about(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_PIPELINE_START", "2026-01-01")
    printed = run(f"import readings {file} --no-build")
    assert "warning: readings before 2025-12-29 are stored but lie before the first partition" in printed
    assert "Set METRICS_PIPELINE_START to 2021-07-01 or earlier" in printed


def test_wrong_input_exits_with_2_and_one_sentence(tmp_path: Path) -> None:
    here = {"METRICS_DATA_DIR": str(tmp_path / "data")}
    missing = process("import", "readings", str(tmp_path / "nope.csv"), **here)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == f"error: {tmp_path / 'nope.csv'} does not exist.\n"
    assert not (tmp_path / "data").exists()

    (tmp_path / "bad.csv").write_text(f"{HEADER}\nacme,myspace,chan,views,2021-07-16,36\n")
    refused = process("import", "readings", str(tmp_path / "bad.csv"), **here)
    assert refused.returncode == 2
    assert "line 2: unknown platform 'myspace'" in refused.stderr
    assert refused.stderr.endswith("error: No row of bad.csv could be imported.\n")


@pytest.mark.slow
def test_weeks_and_months_follow_an_import_and_its_revert(run: Run, tmp_path: Path) -> None:
    """End to end: the file, recorded runs, the tables; then back."""
    views = {16: 36, 17: 21, 18: 29, 19: 63, 20: 62, 22: 74, 23: 35, 24: 18, 25: 18}
    path = tmp_path / "views.csv"
    path.write_text("\n".join([HEADER, *(f"acme,youtube,chan,views,2021-07-{d},{v}" for d, v in views.items())]))

    def periods() -> dict[str, tuple[object, ...]]:
        columns = "value, change, growth_state, round(growth_rate, 4) as growth_rate, days_present"
        with Pipeline(load_settings()).engine.session() as session:
            found = session.run(
                f"select cast(week_start as varchar) as start, {columns} from weekly_metrics "
                "where metric = 'views' and entity_type = 'account' union all "
                f"select 'month ' || month_start, {columns} from monthly_metrics "
                "where metric = 'views' and entity_type = 'account'"
            ).read_all()
        return {str(row.pop("start")): tuple(row.values()) for row in found.to_pylist()}

    printed = run(f"import readings {path}")
    assert "days, weeks and months." in printed
    found = periods()
    assert found["2021-07-12"] == (86, None, "no_base", None, 3)
    assert found["2021-07-19"] == (270, 184, "partial", -0.1744, 6)
    assert found["month 2021-07-01"][::4] == (356, 9)

    (record,) = list_imports(open_control(load_settings()))
    run(f"import revert {record.import_id}")
    assert periods() == {}


def test_imports_of_events_and_content_are_listed_and_events_taken_back(run: Run, rows: Rows, tmp_path: Path) -> None:
    run("workspace add Acme --id acme")
    events = tmp_path / "views.ndjson"
    events.write_text(json.dumps({"event_type": "view_start", "content_id": "v1", "session_id": "s1"}) + "\n")
    content = tmp_path / "items.csv"
    content.write_text("content_id,caption\nv1,one\n")
    printed = run(f"import events {events} --workspace acme")
    assert "1 hour rebuilt, 1 content item." in printed
    assert "Imported 1 item from items.csv as imp-" in run(f"import content {content} --workspace acme")
    listed = {row["kind"]: row for row in rows("import list")}
    assert {kind: row["accepted"] for kind, row in listed.items()} == {"events": 1, "content": 1}
    undo = f"import revert {listed['events']['import_id']}"
    assert f"metrics-pipeline {undo}" in printed
    reverted = run(undo)
    assert "1 event of views.ndjson on 1 day deleted." in reverted
    assert "1 hour rebuilt, 0 content items." in reverted
    with pytest.raises(UserError, match=r"those before them are not kept\. Import a file with the right ones"):
        run(f"import revert {listed['content']['import_id']}")
