"""Running the command line in this process, with a data directory of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
import typer
from typer.testing import CliRunner

from metrics_pipeline.cli import commands
from metrics_pipeline.errors import UserError


class Run(Protocol):
    def __call__(self, command: str, stdin: str | None = None) -> str: ...


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line and give what it printed; a UserError is raised, as `main` would receive it."""
    monkeypatch.setenv("METRICS_DATA_DIR", str(tmp_path / "data"))
    app = typer.Typer()
    commands.register(app)

    def invoke(command: str, stdin: str | None = None) -> str:
        result = CliRunner().invoke(app, command.split(), input=stdin)
        if isinstance(result.exception, UserError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return invoke


@pytest.fixture
def rows(run: Run) -> Callable[[str], list[dict[str, object]]]:
    """The rows a list command gives as JSON."""

    def read(command: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(run(f"{command} --format json"))
        return found

    return read
