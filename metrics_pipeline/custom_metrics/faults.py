"""What is wrong with a definition: every fault at once, each with its place, a stable code and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metrics_pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. pointer: a JSON pointer into the definition. detail: never a value that was sent."""

    pointer: str
    code: str
    detail: str


class DefinitionError(UserError):
    """A definition that cannot be used; `faults` has at least one entry."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(" ".join(f"{f.pointer}: {f.detail}" if f.pointer else f.detail for f in self.faults))

    @classmethod
    def at(cls, pointer: str, code: str, detail: str) -> DefinitionError:
        """One fault."""
        return cls([Fault(pointer, code, detail)])


class QuestionError(DefinitionError):
    """A metric that can be used cannot be asked so."""
