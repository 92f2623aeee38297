"""When the partitions begin. Fixed once: computed-from-now starts confuse the daemon and the UI."""

from __future__ import annotations

import os
import tempfile
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import week_start_of

FILE_NAME = "pipeline.toml"
# A year and a month of room before the first use, so that imported or back-filled history has a year to compare with.
DEFAULT_MONTHS_BACK = 13


@dataclass(frozen=True)
class PipelineStart:
    """pipeline: the first day anyone asked for; collection: the first day of hourly collection."""

    pipeline: date
    collection: date

    @property
    def month(self) -> date:
        """The first month partition."""
        return self.pipeline.replace(day=1)

    def week(self, first_weekday: int) -> date:
        """The first week and day partition: the week that contains the first month's first day."""
        return week_start_of(self.month, first_weekday)


def pipeline_start(settings: Settings, *, fix: bool = True) -> PipelineStart:
    """The start from the settings, else from pipeline.toml, which is written at first use; not without `fix`.

    Raises:
        UserError: the data directory cannot be written, or pipeline.toml cannot be read.
    """
    if settings.pipeline_start and settings.collection_start:
        return PipelineStart(settings.pipeline_start, settings.collection_start)
    stored = _read(settings)
    if stored is None:
        default = _default(settings)
        stored = _write(settings, default, replace=False) if fix else default
    return PipelineStart(settings.pipeline_start or stored.pipeline, settings.collection_start or stored.collection)


def extend_pipeline_start(settings: Settings, earliest: date) -> bool:
    """Move the stored start back so that `earliest` has partitions; True if it moved.

    Earlier keys are added, none changes. A start set by METRICS_PIPELINE_START stays: the operator decided it.
    """
    current = pipeline_start(settings)
    if settings.pipeline_start or earliest >= current.week(settings.week_start_index):
        return False
    _write(settings, PipelineStart(earliest.replace(day=1), current.collection), replace=True)
    return True


def fix_pipeline_start(settings: Settings, start: PipelineStart) -> PipelineStart:
    """Write the start unless one is there already; returns the one in force."""
    return _read(settings) or _write(settings, start, replace=False)


def _default(settings: Settings) -> PipelineStart:
    today = settings.clock.now().astimezone(UTC).date()
    back = today.replace(day=1)
    for _ in range(DEFAULT_MONTHS_BACK):
        back = (back - timedelta(days=1)).replace(day=1)
    return PipelineStart(back, today)


def _path(settings: Settings) -> Path:
    return settings.data_dir / FILE_NAME


def _read(settings: Settings) -> PipelineStart | None:
    path = _path(settings)
    try:
        content = tomllib.loads(path.read_text())
        return PipelineStart(content["pipeline_start"], content["collection_start"])
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, KeyError, OSError) as error:
        raise UserError(f"{path} cannot be read: {error}. It holds pipeline_start and collection_start.") from None


def _write(settings: Settings, start: PipelineStart, *, replace: bool) -> PipelineStart:
    """Write the file whole or not at all; without `replace` the first of several processes wins."""
    path = _path(settings)
    text = (
        "# Where the partitions begin. Fixed at first use; moving it back adds partitions, moving it on orphans some.\n"
        f"pipeline_start = {start.pipeline.isoformat()}\n"
        f"collection_start = {start.collection.isoformat()}\n"
        f"# written {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".pipeline-", delete=False) as draft:
            draft.write(text)
        try:
            if replace:
                os.replace(draft.name, path)
            else:
                os.link(draft.name, path)
                os.unlink(draft.name)
        except FileExistsError:
            os.unlink(draft.name)
    except OSError as error:
        raise UserError(
            f"The data directory {settings.data_dir.absolute()} cannot be written ({error.strerror}): "
            "set METRICS_DATA_DIR or --data-dir to a directory you own."
        ) from None
    return _read(settings) or start
