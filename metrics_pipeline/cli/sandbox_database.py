"""`metrics-pipeline sandbox-database`: a sample application database to try extraction and messaging metrics on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from metrics_pipeline.cli.app import out
from metrics_pipeline.cli.arguments import parse_instant
from metrics_pipeline.errors import UserError


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command("sandbox-database")(sandbox_database)


def sandbox_database(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The SQLite file, made or extended.")],
    days: Annotated[int, typer.Option(min=1, max=3_660, help="Days of history of a new file, today included.")] = 35,
    seed: Annotated[int, typer.Option(help="Another seed is another application.")] = 7,
    until: Annotated[
        str | None, typer.Option("--until", help="Instant up to which things have happened (ISO, UTC); default now.")
    ] = None,
) -> None:
    """Write a sample application database with all seven tables; again later, it has grown."""
    from metrics_pipeline.sandbox.application import grow, whole_second
    from metrics_pipeline.settings import load_settings

    end = parse_instant(until, "--until") if until is not None else load_settings().clock.now()
    if not path.parent.is_dir():
        raise UserError(f"There is no directory {path.parent}.")
    for table, rows in grow(path, whole_second(end), days=days, seed=seed).items():
        out.print(f"{table:<13} {rows:>7}", markup=False)
    out.print("Read it with:")
    out.print(f"export METRICS_APPLICATION_DATABASE_URL='sqlite:///{path.absolute()}'", markup=False)
