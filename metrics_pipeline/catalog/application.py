"""The declaration of the application's tables: which are read, by which key, and which columns tell a row's day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from metrics_pipeline.errors import UserError

APPLICATION_FILE = Path(__file__).with_name("application.yaml")
DAY_NAME = "date"
"""The lake's partition column; a declared column may bear the name only if it is the row's day itself."""
WORKSPACE = "workspace_id"
# What the lake adds to every table by itself.
RESERVED = ("extracted_at",)

ValueType = Literal["string", "bigint", "double", "boolean", "timestamp", "date"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[Name, ...], BeforeValidator(_as_list)]


class ApplicationColumn(BaseModel):
    """One column: its type here, and its name in the database where that is another.

    scale: what a number is multiplied by, such as 100 for an amount in euros that is kept in cents.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: ValueType
    source: str | None = Field(None, min_length=1)
    scale: int = Field(1, ge=1)
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _type_alone(cls, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _scale_is_for_numbers(self) -> ApplicationColumn:
        if self.scale != 1 and self.type not in ("bigint", "double"):
            raise ValueError(f"scale is for bigint and double, not for {self.type}")
        return self


class ApplicationTable(BaseModel):
    """One table of the application database.

    workspace: the workspace of every row, for a table without a column workspace_id. timezone: the zone of times
    that the database stores without one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Name
    source: str | None = Field(None, min_length=1)
    schema_name: str | None = Field(None, alias="schema", min_length=1)
    key: Names = Field(min_length=1)
    day: Names = ()
    changes: Names = ()
    snapshot: bool = False
    workspace: str | None = Field(None, min_length=1)
    timezone: str = "UTC"
    description: str = ""
    columns: dict[Name, ApplicationColumn] = Field(min_length=1)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"there is no time zone {value!r}")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> ApplicationTable:
        for field, names in (("key", self.key), ("day", self.day), ("changes", self.changes)):
            unknown = [name for name in names if name not in self.columns]
            if unknown:
                raise ValueError(f"{field}: {unknown[0]} is not among the columns")
            if len(set(names)) != len(names):
                raise ValueError(f"{field}: a column is named twice")
        for field, names in (("day", self.day), ("changes", self.changes)):
            wrong = [name for name in names if self.columns[name].type not in ("timestamp", "date")]
            if wrong:
                raise ValueError(f"{field}: {wrong[0]} is neither timestamp nor date")
        if self.snapshot and (self.day or self.changes):
            raise ValueError("snapshot: a table that is read whole has neither day nor changes")
        if not self.snapshot and not self.day:
            raise ValueError("day: name the time that places a row in its day, or say snapshot: true")
        taken = [name for name in RESERVED if name in self.columns]
        if taken:
            raise ValueError(f"columns: {taken[0]} is a name of the lake's own; give the column another with source")
        if DAY_NAME in self.columns and self.day != (DAY_NAME,):
            raise ValueError(f"columns: {DAY_NAME} is the lake's name of a row's day; give the column another")
        if DAY_NAME in self.columns and self.columns[DAY_NAME].type != "date":
            raise ValueError(f"columns: {DAY_NAME} is the lake's name of a row's day, and has type date")
        if self.workspace is not None and WORKSPACE in self.columns:
            raise ValueError("workspace: the table has a column workspace_id as well; declare one of them")
        if WORKSPACE in self.columns and self.columns[WORKSPACE].type != "string":
            raise ValueError(f"columns: {WORKSPACE} has type string")
        return self

    @property
    def lake_name(self) -> str:
        return f"app_{self.name}"

    @property
    def source_name(self) -> str:
        return self.source or self.name

    def source_of(self, column: str) -> str:
        """The column's name in the database."""
        return self.columns[column].source or column


def load_application(path: Path | None = None) -> tuple[ApplicationTable, ...]:
    """The declared tables, of this file or of the one that comes with the package.

    Raises:
        UserError: the file cannot be read or contradicts itself; names file, table and field.
    """
    file = path or APPLICATION_FILE
    try:
        content = yaml.safe_load(file.read_text())
    except OSError as error:
        raise UserError(f"METRICS_APPLICATION_TABLES: {file} cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise UserError(f"{file.name} is not YAML{where}.") from None
    tables = content.get("tables") if isinstance(content, dict) else None
    if not isinstance(tables, dict) or not tables or set(content) != {"tables"}:
        raise UserError(f"{file.name} has to begin with `tables:` and name at least one table, and nothing beside it.")
    return tuple(_table(file.name, str(name), entry) for name, entry in tables.items())


def _table(file: str, name: str, entry: object) -> ApplicationTable:
    if not isinstance(entry, dict):
        raise UserError(f"{file}: {name}: a table has key, day or snapshot, and columns.")
    try:
        return ApplicationTable.model_validate({**entry, "name": name})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = "".join(f"{part}: " for part in first["loc"])
        raise UserError(f"{file}: {name}: {field}{first['msg'].removeprefix('Value error, ')}.") from None
