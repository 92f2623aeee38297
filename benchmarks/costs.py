"""What a piece of work costs: wall clock, processor time and memory, in a process of its own where asked."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

R = TypeVar("R")


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@dataclass(frozen=True)
class Cost:
    """What a piece of work took. `gigabytes`: the most memory its process has held so far."""

    seconds: float
    processor: float
    gigabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:6.1f} s, {self.processor:6.1f} s of processor time, peak {self.gigabytes:.1f} GB"


def cost_of(work: Callable[[], object]) -> Cost:
    processor = time.process_time()
    seconds = seconds_of(work)
    processor = time.process_time() - processor
    return Cost(seconds, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


def alone(work: Callable[..., R], *arguments: object) -> R:
    """Run a function in a fresh process, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()
