"""The command that writes a sample application database."""

from __future__ import annotations

from pathlib import Path

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.cli.conftest import Run


def test_it_writes_extends_and_tells_how_to_read_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sample.db"
    first = run(f"sandbox-database {file} --days 2 --until 2026-03-18T12:00:00Z")
    assert f"METRICS_APPLICATION_DATABASE_URL='sqlite:///{file}'" in first
    assert run(f"sandbox-database {file} --until 2026-03-18T12:00:00Z") == first
    assert run(f"sandbox-database {file} --until 2026-03-18T18:00:00Z") != first


def test_what_cannot_be_used_is_one_sentence(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no instant"):
        run(f"sandbox-database {tmp_path / 'a.db'} --until soon")
    with pytest.raises(UserError, match="There is no directory"):
        run(f"sandbox-database {tmp_path / 'not' / 'there.db'}")
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at")
    with pytest.raises(UserError, match="cannot be written as a SQLite file"):
        run(f"sandbox-database {tmp_path / 'text.db'}")
