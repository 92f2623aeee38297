"""What `datasets.yaml` says: the tables that custom metrics may read, and how."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

_FILE = Path(__file__).with_name("datasets.yaml")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Usual(_Part):
    """A condition that holds unless the definition speaks of one of the fields."""

    fields: tuple[str, ...] = Field(min_length=1)
    condition: str
    says: str


class DeclaredDataset(_Part):
    """One entry; see the file's head for the words."""

    description: str
    table: str | None = None
    times: tuple[str, ...] = Field(min_length=1)
    partition: str | None = None
    finest: Literal["day", "week", "month"] = "day"
    metrics: bool = False
    usual: tuple[Usual, ...] = ()
    people: str | None = None
    personal: frozenset[str] = frozenset()
    unique: frozenset[str] = frozenset()
    renamed: dict[str, str] = {}
    hidden: frozenset[str] = frozenset()


@cache
def declared_datasets() -> dict[str, DeclaredDataset]:
    """The entries of the file, by name."""
    content = yaml.safe_load(_FILE.read_text())
    return {name: DeclaredDataset.model_validate(entry) for name, entry in content["datasets"].items()}
