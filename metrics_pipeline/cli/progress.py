"""Progress bars for long work; on a pipe they become one line per step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

P = ParamSpec("P")
T = TypeVar("T")


class Advance(Protocol):
    def __call__(self, title: str, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do one step of the work under a title."""
        ...


@contextmanager
def steps_bar(console: Console, total: int) -> Iterator[Advance]:
    """A bar over `total` steps."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)

        def advance(title: str, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
            progress.update(task, description=title)
            if not console.is_terminal:
                console.print(title, markup=False)
            result = work(*args, **kwargs)
            progress.advance(task)
            return result

        yield advance
