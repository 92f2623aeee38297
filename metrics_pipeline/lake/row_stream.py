"""Rows that are still being computed while they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import Full, Queue
from threading import Event, Thread

import pyarrow as pa

_AHEAD = 4
_WAIT_SECONDS = 0.1


class RowStream:
    """Batches computed by a thread of their own and handed to whoever writes them, a few ahead.

    Delta pulls rows on the threads of its runtime, where its own functions cannot be called; here they can, and what
    fails is raised as it is by `reraise` after the writer has given up.
    """

    def __init__(self, schema: pa.Schema, batches: Callable[[], Iterator[pa.RecordBatch]]) -> None:
        self._batches = batches
        self._queue: Queue[pa.RecordBatch | None] = Queue(_AHEAD)
        self._given_up = Event()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._compute, name="rows", daemon=True)
        self.reader = pa.RecordBatchReader.from_batches(schema, self._read())
        self._thread.start()

    def close(self) -> None:
        """Stop computing: nobody reads any more."""
        self._given_up.set()
        self._thread.join()

    def reraise(self) -> None:
        """Raise what the computation failed with, if it did."""
        if self._failure is not None:
            raise self._failure

    def _compute(self) -> None:
        try:
            for batch in self._batches():
                if not self._put(batch):
                    return
        except BaseException as failure:  # noqa: BLE001  # handed on: `reraise`
            self._failure = failure
        self._put(None)

    def _put(self, batch: pa.RecordBatch | None) -> bool:
        while not self._given_up.is_set():
            try:
                self._queue.put(batch, timeout=_WAIT_SECONDS)
            except Full:
                continue
            return True
        return False

    def _read(self) -> Iterator[pa.RecordBatch]:
        while (batch := self._queue.get()) is not None:
            yield batch
        if self._failure is not None:
            raise RuntimeError("the rows could not be computed")
