"""`metrics-pipeline sandbox`: the simulated platforms in the foreground."""

from __future__ import annotations

from typing import Annotated

import typer

from metrics_pipeline.cli.app import out
from metrics_pipeline.errors import UserError


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command("sandbox")(sandbox)


def sandbox(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on 127.0.0.1.")] = 9000,
    seed: Annotated[int, typer.Option(help="Which simulated world: the same seed always gives the same numbers.")] = 7,
) -> None:
    """Serve simulated platforms over HTTP until Ctrl-C."""
    from metrics_pipeline.sandbox.server import PLATFORMS, base_url, serve
    from metrics_pipeline.settings import load_settings

    clock = load_settings().clock
    out.print(f"Sandbox on http://127.0.0.1:{port}, seed {seed}. Ctrl-C stops it. In another terminal:")
    for platform in PLATFORMS:
        out.print(f"export METRICS_{platform.upper()}_BASE_URL='{base_url(port, platform)}'", markup=False)
    try:
        serve(port, seed, clock)
    except OSError as error:
        raise UserError(
            f"the sandbox cannot listen on port {port} ({error.strerror}); choose another with --port."
        ) from None
    except KeyboardInterrupt:
        pass
    out.print("Sandbox stopped.")
