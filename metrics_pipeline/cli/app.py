"""The command line: one Typer application, errors as one sentence, heavy imports only where a command needs them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    name="metrics-pipeline",
    help="Social platform metrics: collected, rolled up, explained.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where the embedded stores live (default: METRICS_DATA_DIR, else ./data)."),
]


def use_data_dir(data_dir: Path | None) -> None:
    """Make --data-dir count for this process and for every process it starts."""
    if data_dir is not None:
        os.environ["METRICS_DATA_DIR"] = str(data_dir.absolute())
