"""Files of metric definitions on the command line, and what is told of their faults."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from metrics_pipeline.errors import UserError


def documents_of(file: Path | None, example: str | None) -> list[dict[str, object]]:
    """The definitions that a command was given.

    Raises:
        UserError: neither or both are named, or the file cannot be read.
    """
    from metrics_pipeline.custom_metrics.documents import example_files, read_definitions

    if (file is None) == (example is None):
        raise UserError("Name a file of definitions, or one that comes with the package: --example revenue.")
    if example is not None:
        known = example_files()
        if example not in known:
            raise UserError(f"There is no example {example!r}. There are: {', '.join(known)}.")
        return read_definitions(known[example].read_text())
    assert file is not None  # noqa: S101 - for the type checker: one of both is given
    if str(file) == "-":
        return read_definitions(sys.stdin.read())
    try:
        return read_definitions(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read: {error.__class__.__name__}.") from None


@contextmanager
def told(documents: Sequence[Mapping[str, object]]) -> Iterator[None]:
    """Every fault with its place, on a line of its own; of a file of several with the definition's name."""
    from metrics_pipeline.custom_metrics.documents import name_of
    from metrics_pipeline.custom_metrics.faults import DefinitionError

    try:
        yield
    except DefinitionError as error:
        lines = []
        for fault in error.faults:
            first, _, rest = fault.pointer.removeprefix("/").partition("/")
            is_numbered = first.isdigit() and int(first) < len(documents)
            name = name_of(documents[int(first)]) if is_numbered else ""
            place = f"{name} /{rest}" if is_numbered else fault.pointer or "/"
            lines.append(f"  {place}: {fault.detail} ({fault.code})")
        raise UserError("\n".join(["Nothing was stored:", *lines])) from None


def shown(value: float | None) -> str | None:
    """A value for people."""
    return None if value is None else f"{value:,.15g}"
