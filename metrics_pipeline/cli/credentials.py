"""`metrics-pipeline credentials ...`: the keys that protect stored tokens."""

from __future__ import annotations

from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.settings import load_settings

group = typer.Typer(help="The keys that protect stored tokens.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="credentials")


@group.callback()
def credentials() -> None:
    """The keys that protect stored tokens."""


@group.command("rotate")
def rotate(
    new_key: Annotated[
        bool, typer.Option("--new-key", help="First put a fresh key into the data directory's key file.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Protect every stored token with the newest key."""
    from metrics_pipeline.control import credentials
    from metrics_pipeline.control.api_key_check import keys_under_older_ring_keys
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.control.key_ring import add_key, load_key_ring

    use_data_dir(data_dir)
    settings = load_settings()
    engine = open_control(settings)
    ring = add_key(settings) if new_key else load_key_ring(settings)
    changed = credentials.rotate(engine, ring)
    newest, *older = (key_id for key_id, _key in ring.keys)
    out.print(f"{changed} token{'' if changed == 1 else 's'} moved to key {newest}.", markup=False)
    if older:
        out.print(
            f"Once every running process has been restarted, {', '.join(older)} can go from {ring.source}.",
            markup=False,
        )
    waiting = keys_under_older_ring_keys(engine, ring, settings.clock.now())
    if waiting:
        out.print(
            f"Not before {waiting} API key{'' if waiting == 1 else 's'} moved as well: each does at its next use.",
            markup=False,
        )
