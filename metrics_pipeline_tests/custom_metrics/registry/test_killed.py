"""kill -9 between the statements of an import: three definitions and their audit are there together, or none is."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text

from metrics_pipeline.control.database import open_control
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.custom_metrics.registry.conftest import CLOCK, populate
from metrics_pipeline_tests.proofs.sizes import size


def test_killed_at_any_moment_all_of_it_is_stored_or_nothing(migrated_file: Path, tmp_path: Path) -> None:
    shutil.copy(migrated_file, tmp_path / "control.db")
    engine = open_control(load_settings(data_dir=tmp_path))
    populate(engine)
    chance, answered = random.Random(7), 0
    for _ in range(size(2, 50)):
        process = subprocess.Popen(
            [sys.executable, "-m", "metrics_pipeline_tests.custom_metrics.registry.killed", str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        time.sleep(chance.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        answered += 1 + process.stdout.read().count("done\n")
        process.wait()

        with engine.connect() as connection:
            versions = connection.execute(
                text("select name, active_version, newest_version from metric_definitions order by name")
            ).all()
            rows = connection.execute(text("select count(*) from metric_definition_versions")).scalar()
            audit = connection.execute(text("select count(*) from metric_audit_log")).scalar()
            changes = connection.execute(text("select count(*) from metric_changes")).scalar()
        imports = versions[0].newest_version
        assert [tuple(row) for row in versions] == [(name, imports, imports) for name in ("both", "one", "two")]
        assert rows == audit == changes == 3 * imports
        assert imports >= answered
        both = Registry(engine, CLOCK).resolve("acme", "both")
        assert {used.version for used in both.inputs.values()} == {imports}
