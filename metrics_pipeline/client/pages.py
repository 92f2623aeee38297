"""Lists come in pages; most callers want the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Row_co = TypeVar("Row_co", covariant=True)


class _Meta(Protocol):
    @property
    def next_cursor(self) -> str | None: ...


class Page(Protocol[Row_co]):
    """An answer that another one follows."""

    @property
    def data(self) -> Sequence[Row_co]: ...

    @property
    def meta(self) -> _Meta: ...


def rows_of(page: Callable[..., Page[Row_co]]) -> Iterator[Row_co]:
    """The rows of all pages, each page asked for when it is needed."""
    found = page()
    yield from found.data
    while found.meta.next_cursor is not None:
        found = page(cursor=found.meta.next_cursor)
        yield from found.data
