"""The lake's tables of the declared ones: `app_<name>` with the day, the workspace, the columns, when it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics_pipeline.catalog.application import DAY_NAME, WORKSPACE, ApplicationTable, load_application
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.application_tables import APPLICATION_TABLES, Described, application_table
from metrics_pipeline.lake.table_spec import TableSpec

if TYPE_CHECKING:
    from metrics_pipeline.lake.lake import Lake
    from metrics_pipeline.settings import Settings

_STANDARD = {spec.name: spec for spec in APPLICATION_TABLES}
_OWN = (DAY_NAME, WORKSPACE, "extracted_at")


def table_spec(declared: ApplicationTable) -> TableSpec:
    """The lake's table. One of the known seven keeps its columns: those that are not declared are null.

    Raises:
        UserError: a column of a known table is declared with another type, or the table without its days.
    """
    known = _STANDARD.get(declared.lake_name)
    if known is not None and declared.snapshot != (known.day_column is None):
        needs = "snapshot: true" if known.day_column is None else "day"
        raise UserError(f"The table {declared.name} is one that metrics are computed from: declare it with {needs}.")
    described: dict[str, tuple[str, str]] = {}
    for column in known.columns if known is not None else ():
        if column.name not in _OWN:
            described[column.name] = (column.type, column.description)
    for name, entry in declared.columns.items():
        if name in _OWN:
            continue
        if name in described and described[name][0] != entry.type:
            raise UserError(
                f"The column {declared.name}.{name} is one that metrics are computed from: its type is "
                f"{described[name][0]}, not {entry.type}."
            )
        described[name] = (entry.type, entry.description or described.get(name, ("", ""))[1] or _unexplained(declared))
    columns: Described = tuple((name, kind, text) for name, (kind, text) in described.items())  # type: ignore[misc]
    description = declared.description or (known.description if known is not None else _unexplained(declared))
    return application_table(declared.lake_name, description, columns, declared.key, has_days=not declared.snapshot)


def _unexplained(declared: ApplicationTable) -> str:
    return f"As {declared.source_name} of the application has it."


def declared_tables(settings: Settings) -> tuple[ApplicationTable, ...]:
    """What the settings say is read.

    Raises:
        UserError: the declaration cannot be used.
    """
    return load_application(settings.application_tables)


def known_lake(settings: Settings) -> Lake:
    """The configured lake, with the tables that are declared, as it is: nothing is created. For who only reads.

    Raises:
        UserError: the declaration cannot be used.
    """
    from metrics_pipeline.lake.lake import Lake

    return Lake(settings.lake_location, [table_spec(table) for table in declared_tables(settings)])


def open_lake(settings: Settings) -> Lake:
    """The configured lake, with the tables that are declared.

    Raises:
        UserError: the location cannot be written, or the declaration cannot be used.
    """
    from metrics_pipeline.lake.lake import Lake

    return Lake.open(settings, [table_spec(table) for table in declared_tables(settings)])
