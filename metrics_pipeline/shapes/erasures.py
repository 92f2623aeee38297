"""Erasures of persons."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from metrics_pipeline.shapes.words import Shape


class ErasureState(Shape):
    erasure_id: str
    workspace_id: str
    state: Literal["requested", "sweeping", "completed"]
    requested_at: datetime
    erased_at: datetime | None = Field(description="When every row was gone.")
    completed_at: datetime | None = Field(description="When no file that might hold one was left either.")
    proof: dict[str, Any] = Field(description="Rows deleted by table, files deleted, days counted anew.")


class ErasureAnswer(Shape):
    data: ErasureState
    meta: dict[str, str]
