"""The Dagster home of the embedded set-up, shared by every command that runs assets."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import dagster as dg

from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def use_dagster_home(settings: Settings) -> Path:
    """Make DAGSTER_HOME point at a home with a dagster.yaml; one that is set in the environment stays.

    Raises:
        UserError: the home cannot be made.
    """
    configured = os.environ.get("DAGSTER_HOME")
    if configured:
        return Path(configured)
    home = settings.dagster_home
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            draft = home / f".dagster.yaml.{os.getpid()}"
            shutil.copyfile(PROJECT_ROOT / "dagster.yaml", draft)
            os.replace(draft, home / "dagster.yaml")
    except OSError as error:
        raise UserError(
            f"The Dagster home {home} cannot be written ({error.strerror}): set METRICS_DATA_DIR to one you own."
        ) from None
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The Dagster instance of the home, its databases made where they are new.

    One process at a time: Dagster's SQLite storages trip over each other when two create them at once.
    """
    home = use_dagster_home(settings)
    if not home.is_dir():
        raise UserError(f"DAGSTER_HOME is {home}, which is no directory: make it, or unset the variable.")
    with (home / ".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return dg.DagsterInstance.get()
