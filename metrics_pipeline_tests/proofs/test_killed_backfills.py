"""A backfill killed at any moment and begun again ends where an undisturbed one ends, row for row."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path

from metrics_pipeline_tests.proofs.conftest import MakeSite
from metrics_pipeline_tests.proofs.site import Site, assert_same, instant
from metrics_pipeline_tests.proofs.sizes import FULL, figure, size

# Hours of collection exist from the 17th on: five of them in the small proof, thirty-five in the full one.
NOW = instant("2026-03-18T10:30" if FULL else "2026-03-17T04:30")
HOURLY_FROM = "2026-03-17"
ACCOUNTS = [
    ("acme", "x", "2244994945"),
    *([("acme", "instagram", "17841400000000001"), ("bistro", "youtube", "UCbistronord0000000000001")] if FULL else []),
]
COLLECTED = sorted({f"platforms/{platform}" for _, platform, _ in ACCOUNTS})
AGGREGATED = ["daily_metrics", "weekly_metrics", "monthly_metrics"]
WORK = ["backfill", *COLLECTED, *AGGREGATED, "--from", "2026-03-16", "--to", "2026-03-19"]


def copied(site: Site, data_dir: Path) -> Site:
    """A second installation with the same accounts."""
    shutil.copytree(site.data_dir, data_dir)
    return Site(data_dir, site.sandbox, {"METRICS_COLLECTION_START": HOURLY_FROM})


def kill_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Let it work so long, then kill it; False if it had ended before."""
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    assert process.returncode == 0, errors
    return False


def test_a_killed_backfill_done_again_equals_an_undisturbed_one(make_site: MakeSite, tmp_path: Path) -> None:
    disturbed = make_site(ACCOUNTS, "disturbed", METRICS_COLLECTION_START=HOURLY_FROM)
    undisturbed = copied(disturbed, tmp_path / "undisturbed")
    started = time.monotonic()
    undisturbed.run(*WORK, now=NOW)
    whole = time.monotonic() - started
    moments = random.Random(7)
    kills, done = 0, []
    while kills < size(3, 20):
        # the first part is the start of Python: nothing to destroy there
        kills += kill_after(disturbed.start(*WORK, now=NOW), whole * moments.uniform(0.4, 1.0))
        done.append(sum(disturbed.versions().values()))
    disturbed.run(*WORK, now=NOW)
    expected = undisturbed.tables()
    assert all(rows.num_rows > 0 for name, rows in expected.items() if FULL or name != "insight_readings")
    assert_same(expected, disturbed.tables())
    figure("kills survived", f"{kills} of {len(done)} starts; an undisturbed run takes {whole:.1f} s")
    figure("commits to the lake after each start", done)
