"""Mistakes at the command line: one clear sentence on stderr, exit code 2, never a traceback. Real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ADD_ACCOUNT = ("account", "add", "--workspace", "acme", "--external-id", "1")
BACKFILL = ("backfill", "daily_metrics")


@dataclass(frozen=True)
class Mistake:
    """A command, what its one sentence has to name, and the settings that belong to the mistake."""

    arguments: tuple[str, ...]
    said: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)


MISTAKES: dict[str, Mistake] = {
    "unknown platform": Mistake((*ADD_ACCOUNT, "--platform", "myspace"), ("myspace", "instagram")),
    "account of an unknown workspace": Mistake((*ADD_ACCOUNT, "--platform", "x"), ("acme",)),
    "malformed first day": Mistake((*BACKFILL, "--from", "2026-13-01"), ("--from", "2026-13-01", "YYYY-MM-DD")),
    "malformed last day": Mistake(
        (*BACKFILL, "--from", "2026-01-01", "--to", "tomorrow"), ("--to", "tomorrow", "YYYY-MM-DD")
    ),
    "end before start": Mistake(
        (*BACKFILL, "--from", "2026-02-01", "--to", "2026-01-01"), ("--to 2026-01-01", "after --from 2026-02-01")
    ),
    "empty window": Mistake((*BACKFILL, "--from", "2026-02-01", "--to", "2026-02-01"), ("must lie after",)),
    "unknown asset": Mistake(
        ("backfill", "hourly_metrics", "--from", "2026-01-01"), ("hourly_metrics", "daily_metrics/account")
    ),
    "no partition there": Mistake((*BACKFILL, "--from", "1999-01-01"), ("No partition", "METRICS_PIPELINE_START")),
    "unknown weekday": Mistake(
        (*BACKFILL, "--from", "2026-01-01"), ("METRICS_WEEK_START", "monday"), {"METRICS_WEEK_START": "foo"}
    ),
    "a setting that is no number": Mistake(
        ("workspace", "list"), ("METRICS_GAP_MAX_RUNS",), {"METRICS_GAP_MAX_RUNS": "many"}
    ),
    "a start that is no date": Mistake(
        ("workspace", "list"), ("METRICS_PIPELINE_START",), {"METRICS_PIPELINE_START": "soon"}
    ),
    "garbage for keys": Mistake(
        (*ADD_ACCOUNT, "--platform", "x"), ("METRICS_SECRET_KEYS",), {"METRICS_SECRET_KEYS": "garbage"}
    ),
    "a database nobody can open": Mistake(
        ("workspace", "list"), ("METRICS_DATABASE_URL",), {"METRICS_DATABASE_URL": "nonsense"}
    ),
    "malformed SQL": Mistake(("sql", "selec 1"), ("selec",)),
    "SQL that writes": Mistake(("sql", "drop table daily_metrics"), ("only reads",)),
    # a data directory below a file cannot be made by anybody, root included
    "unwritable, backfill": Mistake((*BACKFILL, "--from", "2026-03-01"), ("file/data",), {"unwritable": "yes"}),
    "unwritable, workspace": Mistake(("workspace", "add", "Acme"), ("file/data",), {"unwritable": "yes"}),
    "unwritable, sql": Mistake(("sql", "select 1"), ("file/data",), {"unwritable": "yes"}),
    "unwritable, demo": Mistake(("demo",), ("file/data",), {"unwritable": "yes"}),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.CompletedProcess[str]]:
    """Every mistake made once, two processes at a time."""
    directory = tmp_path_factory.mktemp("mistakes")
    (directory / "file").write_text("not a directory")

    def make(item: tuple[int, Mistake]) -> subprocess.CompletedProcess[str]:
        number, mistake = item
        settings = {k: v for k, v in mistake.settings.items() if k.startswith("METRICS_")}
        place = directory / "file" / "data" if "unwritable" in mistake.settings else directory / f"data-{number}"
        return subprocess.run(
            [sys.executable, "-c", "from metrics_pipeline.cli.main import main; main()", *mistake.arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=directory,
            env={"PATH": os.environ["PATH"], "COLUMNS": "80", "METRICS_DATA_DIR": str(place), **settings},
        )

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(MISTAKES, pool.map(make, enumerate(MISTAKES.values())), strict=True))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    name: str, answers: dict[str, subprocess.CompletedProcess[str]]
) -> None:
    answer = answers[name]
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stderr.startswith("error: ")
    for part in MISTAKES[name].said:
        assert part in answer.stderr
    if name not in ("malformed SQL",):  # the engine's own message shows where in the statement it stumbled
        assert answer.stderr.count("\n") == 1, answer.stderr
    assert answer.stdout == "" or name == "unwritable, demo"  # which says first what it is about to do


def test_a_secret_in_a_setting_is_never_repeated(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", "from metrics_pipeline.cli.main import main; main()", *ADD_ACCOUNT, "--platform", "x"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "METRICS_DATA_DIR": str(tmp_path), "METRICS_SECRET_KEYS": "k1:hunter2hunter2"},
    )
    assert answer.returncode == 2
    assert "hunter2" not in answer.stdout + answer.stderr
