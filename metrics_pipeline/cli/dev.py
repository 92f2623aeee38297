"""`metrics-pipeline dev`: the Dagster UI, its daemon and the HTTP API; the sandbox too where the data is a demo's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, err, out, use_data_dir
from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.settings import load_settings

# A daemon finishes the tick it is in; a run in progress is a process of its own and goes on.
STOP_SECONDS = 15.0


def register(app: typer.Typer) -> None:
    app.command("dev")(dev)


def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address the UI and the API listen on.")] = "127.0.0.1",
    api_port: Annotated[int, typer.Option("--api-port", help="Port of the HTTP API.")] = 8000,
    data_dir: DataDir = None,
) -> None:
    """Run the Dagster UI, its daemon and the HTTP API; one Ctrl-C stops everything."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.automation.home import PROJECT_ROOT, open_instance
    from metrics_pipeline.demo.marker import SANDBOX_PORT, read_marker

    os.environ["METRICS_DATA_DIR"] = str(settings.data_dir.absolute())
    open_instance(settings).dispose()  # before two programs would make its databases at the same time
    _require_free(host, port, "--port")
    _require_free(host, api_port, "--api-port")
    workspace = ["-w", str(PROJECT_ROOT / "workspace.yaml")]
    # the API starts runs through this UI; one that listens on every address is asked on loopback
    ui = "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host  # noqa: S104 - compared only
    os.environ["METRICS_DAGSTER_URL"] = f"http://{ui}:{port}"
    programs = {
        "Dagster UI": [_script("dagster-webserver"), *workspace, "-h", host, "-p", str(port)],
        "Dagster daemon": [_script("dagster-daemon"), "run", *workspace],
        "API": [_script("metrics-pipeline"), "api", "--host", host, "--port", str(api_port)],
    }
    marker = read_marker(settings.data_dir)
    if marker is not None:
        _require_free("127.0.0.1", SANDBOX_PORT, "the sandbox")
        command = [_script("metrics-pipeline"), "sandbox", "--port", str(SANDBOX_PORT), "--seed", str(marker.seed)]
        programs = {"sandbox": command, **programs}
    addresses = f"Dagster UI: http://{host}:{port}   API: http://{host}:{api_port}/docs"
    out.print(f"{addresses}   (Ctrl-C stops everything)", markup=False)
    _run_until_stopped(programs)


def _script(name: str) -> str:
    """A program of this very environment, also when it is not on the PATH."""
    return str(Path(sys.executable).with_name(name))


def _require_free(host: str, port: int, what: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(f"Port {port} for {what} cannot be used: {error.strerror}.") from None


def _run_until_stopped(programs: Mapping[str, Sequence[str]]) -> None:
    """Run programs side by side until Ctrl-C, a termination signal, or the end of one of them."""
    # their own process group: Ctrl-C at the terminal reaches this process only, which then stops them in order
    running = {name: subprocess.Popen(command, start_new_session=True) for name, command in programs.items()}  # noqa: S603
    for stop in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with Ctrl-C ignored
        signal.signal(stop, signal.default_int_handler)
    ended = ""
    try:
        while not ended:
            time.sleep(0.5)
            ended = next((name for name, process in running.items() if process.poll() is not None), "")
    except KeyboardInterrupt:
        err.print("stopping")
    finally:
        for process in running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
    if ended:
        raise RunFailedError(f"{ended} ended with exit code {running[ended].returncode}; its output says why.")
