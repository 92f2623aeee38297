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

NOW = instant("2026-03-20T10:30")
ACCOUNTS = [
    ("acme", "x", "2244994945"),
    ("acme", "instagram", "17841400000000001"),
    ("bistro", "x", "783214001"),
]
COLLECTED = ["platforms/x", "platforms/instagram"] if FULL else ["platforms/x"]
WORK = ["backfill", *COLLECTED, "daily_metrics", "weekly_metrics", "monthly_metrics", "--from", "2026-03-17"]


def copied(site: Site, data_dir: Path) -> Site:
    """A second installation with the same accounts."""
    shutil.copytree(site.data_dir, data_dir)
    return Site(data_dir, site.sandbox)


def kill_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Let it work so long, then kill it; False if it had ended before."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    assert process.returncode == 0
    return False


def test_a_killed_backfill_done_again_equals_an_undisturbed_one(make_site: MakeSite, tmp_path: Path) -> None:
    work = [*WORK, "--to", "2026-03-19" if FULL else "2026-03-18"]
    disturbed = make_site(ACCOUNTS, "disturbed")
    undisturbed = copied(disturbed, tmp_path / "undisturbed")
    started = time.monotonic()
    undisturbed.run(*work, now=NOW)
    whole = time.monotonic() - started
    moments = random.Random(7)
    kills, stood = 0, []
    while kills < size(3, 20):
        # each starts from scratch half of the time, so that first writes are hit as often as repeated ones
        killed = kill_after(disturbed.start(*work, now=NOW), whole * moments.uniform(0.35, 1.0))
        kills += killed
        stood.append(sum(disturbed.versions().values()))
    disturbed.run(*work, now=NOW)
    assert_same(undisturbed.tables(), disturbed.tables())
    figure("kills survived", f"{kills}, with {stood} table versions after each; one undisturbed run {whole:.1f} s")
