"""Imports a file of content events through the same door as every other event."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from metrics_pipeline.control.imports import ImportRecord, find_by_sha256, list_imports, record_import
from metrics_pipeline.control.workspaces import list_workspaces
from metrics_pipeline.errors import UserError
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.imports.event_rows import Line, event_rows
from metrics_pipeline.imports.file_format import FileFormat
from metrics_pipeline.imports.source_files import Progress, checked_file, file_sha256
from metrics_pipeline.pipeline import Pipeline

KIND = "events"
AT_ONCE = 1000


@dataclass
class EventImport:
    """What became of a file's rows; problems are line and reason of every row that was not taken."""

    import_id: str
    accepted: int = 0
    duplicates: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def import_events(
    pipeline: Pipeline,
    path: Path,
    workspace_id: str | None = None,
    chosen: FileFormat | None = None,
    *,
    take_old: bool = False,
    progress: Progress = lambda _: None,
) -> EventImport:
    """Read a file and hand its events in; the drain counts them. The same file again changes nothing.

    An event without an id gets one from the file's content and its line. `take_old` also takes events from before
    the lateness window, which are refused else.

    Raises:
        UserError: the file cannot be read, or no row of it was taken or known already.
    """
    file_format = checked_file(path, chosen)
    sha256 = file_sha256(path)
    done = EventImport(_import_id(pipeline, sha256))
    known = {workspace.workspace_id for workspace in list_workspaces(pipeline.control)}
    now = pipeline.settings.clock.now()
    with Ingestion.open(pipeline.settings) as ingestion:
        lines_of_file = event_rows(path, file_format, progress)
        while rows := list(islice(lines_of_file, AT_ONCE)):
            for workspace, lines in _by_workspace(rows, workspace_id, known, done).items():
                handover = Handover(workspace, now, origin="import", import_id=done.import_id, take_old=take_old)
                events = [_with_id(event, sha256, line) for line, event in lines]
                for (line, _), result in zip(lines, ingestion.submit_blocking(handover, events), strict=True):
                    done.accepted += result.status == "accepted"
                    done.duplicates += result.status == "duplicate"
                    if result.status in ("rejected", "retry"):
                        done.problems.append((line, f"{result.pointer or 'the event'} {result.detail or result.code}"))
    if not done.accepted and not done.duplicates:
        first = f" (line {done.problems[0][0]}: {done.problems[0][1]})" if done.problems else ""
        raise UserError(f"No event of {path.name} could be imported{first}.")
    _note(pipeline, path, sha256, done, now)
    return done


def _by_workspace(
    rows: Sequence[Line], workspace_id: str | None, known: set[str], done: EventImport
) -> dict[str, list[tuple[int, Mapping[str, object]]]]:
    """The rows that can be handed in, by the workspace they name."""
    found: dict[str, list[tuple[int, Mapping[str, object]]]] = defaultdict(list)
    for line, event in rows:
        if not isinstance(event, Mapping):
            done.problems.append((line, event if isinstance(event, str) else "is no object"))
            continue
        workspace = str(event.get("workspace_id") or workspace_id or "")
        if workspace in known:
            found[workspace].append((line, {name: value for name, value in event.items() if name != "workspace_id"}))
        elif workspace:
            done.problems.append((line, f"there is no workspace {workspace[:60]!r}"))
        else:
            done.problems.append((line, "workspace_id is missing; name it in the file or with --workspace"))
    return found


def _with_id(event: Mapping[str, object], sha256: str, line: int) -> Mapping[str, object]:
    return event if event.get("event_id") or event.get("eventId") else {**event, "event_id": f"{sha256[:16]}-{line}"}


def _import_id(pipeline: Pipeline, sha256: str) -> str:
    """The same for every try with a file, so that one that broke off can be completed; another after each revert."""
    reverted = [r for r in list_imports(pipeline.control) if r.sha256 == sha256 and r.kind == KIND and r.reverted_at]
    return f"imp-{sha256[:10]}" + (f"-{len(reverted) + 1}" if reverted else "")


def _note(pipeline: Pipeline, path: Path, sha256: str, done: EventImport, now: datetime) -> None:
    """Note the import in the journal, once: what came in again is no import of its own.

    Also where every event was known: the try before may have broken off just before its note.
    """
    if find_by_sha256(pipeline.control, sha256, KIND) is not None:
        return
    record_import(
        pipeline.control,
        ImportRecord(
            import_id=done.import_id,
            kind=KIND,
            file_name=path.name,
            sha256=sha256,
            rows_accepted=done.accepted + done.duplicates,
            rows_rejected=len(done.problems),
            rows_unchanged=done.duplicates,
            first_date=None,
            last_date=None,
            created_at=now,
            details={"reasons": dict(Counter(reason for _, reason in done.problems).most_common(20))},
        ),
    )
