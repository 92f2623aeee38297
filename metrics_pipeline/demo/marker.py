"""Tells a demo's data directory from one with real data, and how far the demo got."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import SETTINGS_FILE, Settings

MARKER = "demo.json"
# What a demo makes; nothing else in the directory is ever removed.
APPLICATION_DATABASE = "application.db"
MADE_BY_DEMO = (
    MARKER,
    APPLICATION_DATABASE,
    SETTINGS_FILE,
    "lake",
    "dagster",
    "pipeline.toml",
    "secret_keys",
    "control.db",
    "control.db-wal",
    "control.db-shm",
    "control.db.lock",
)
SANDBOX_PORT = 9000


@dataclass(frozen=True)
class DemoMarker:
    """last_day is the day the demo was begun: a resumed demo builds the same weeks."""

    seed: int
    days: int
    last_day: date
    finished: bool


def read_marker(data_dir: Path) -> DemoMarker | None:
    path = data_dir / MARKER
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text())
        return DemoMarker(
            content["seed"], content["days"], date.fromisoformat(content["last_day"]), content["finished"]
        )
    except (json.JSONDecodeError, KeyError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): start over with demo --reset.") from None


def write_marker(data_dir: Path, marker: DemoMarker) -> None:
    """Note how far the demo got.

    Raises:
        UserError: the directory cannot be written.
    """
    text = json.dumps({**asdict(marker), "last_day": marker.last_day.isoformat()}, indent=2) + "\n"
    draft = data_dir / f".{MARKER}"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        draft.write_text(text)
        draft.replace(data_dir / MARKER)
    except OSError as error:
        raise UserError(
            f"The data directory {data_dir.absolute()} cannot be written ({error.strerror}): "
            "set METRICS_DATA_DIR or --data-dir to a directory you own."
        ) from None


# Posts as old as the demo's history: older ones would only make it longer.
DEMO_CADENCE = '{"default": "1d:1h 7d:6h 30d:1d 35d:1w"}'


def write_settings_file(data_dir: Path, base_urls: dict[str, str], application_workspace: str) -> None:
    """Make every later command on this directory talk to the sandbox and read the sample application database."""
    lines = ["# This directory holds demo data: its accounts live in the sandbox (metrics-pipeline sandbox)."]
    lines += [f"METRICS_{platform.upper()}_BASE_URL={url}" for platform, url in base_urls.items()]
    lines.append(f"METRICS_CADENCE={DEMO_CADENCE}")
    lines.append(f"METRICS_APPLICATION_DATABASE_URL=sqlite:///{(data_dir / APPLICATION_DATABASE).absolute()}")
    lines.append(f"METRICS_APPLICATION_WORKSPACE={application_workspace}")
    (data_dir / SETTINGS_FILE).write_text("\n".join(lines) + "\n")


def is_in_use(settings: Settings) -> bool:
    """Whether the directory holds data that no demo made."""
    return (settings.data_dir / "control.db").exists() or (settings.data_dir / "lake").exists()


def remove_demo(data_dir: Path) -> None:
    """Remove what a demo made.

    Raises:
        UserError: the directory holds data that no demo made.
    """
    if read_marker(data_dir) is None:
        raise UserError(f"{data_dir} holds no demo: nothing was removed.")
    for name in MADE_BY_DEMO:
        path = data_dir / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
