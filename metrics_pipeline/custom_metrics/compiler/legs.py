"""Which days of rows each period of an answer rests on, for every simple metric below the one that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.model import Cumulative, DerivedInput
from metrics_pipeline.custom_metrics.periods import Period, moved, window_days
from metrics_pipeline.custom_metrics.spans import Span
from metrics_pipeline.windows import DAY

MOST_ROWS = 2_000_000
"""Pairs of a period and a day that one answer may need."""

SpanRow = tuple[int, int, date]


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from a period of the answer to days: first the offsets, outermost first, then perhaps a window."""

    offsets: tuple[DerivedInput, ...] = ()
    cumulative: Cumulative | None = None

    def moved_by(self, entry: DerivedInput) -> Leg:
        """The leg of an input that may look at an earlier period."""
        if entry.offset_window is None and entry.offset_to_grain is None:
            return self
        return replace(self, offsets=(*self.offsets, entry))

    @property
    def is_averaged(self) -> bool:
        """Whether a period has a value for each of its days, and the mean of them is asked for."""
        return self.cumulative is not None and self.cumulative.period_agg == "average"

    def spans(self, question: Question) -> Iterator[SpanRow]:
        """(period, point, day): rows of the day count for that point of that period, by its number.

        Raises:
            DefinitionError: an offset does not fit the grain, or the answer would need too many of them.
        """
        count = 0
        for number, period in enumerate(question.periods):
            for point, days in self._points(self._moved(period, question), question):
                for day in days.days:
                    count += 1
                    if count > MOST_ROWS:
                        raise DefinitionError.at(
                            "", "too_many_points", "Fewer periods, or a shorter window: this needs too many days."
                        )
                    yield number, point, day

    def _moved(self, period: Period, question: Question) -> Period:
        for entry in self.offsets:
            try:
                period = _moved_once(period, entry, question)
            except ValueError as error:
                raise DefinitionError.at("/input_metrics", "offset_invalid", f"{error}.") from None
        return period

    def _points(self, period: Period, question: Question) -> Iterator[tuple[int, Period]]:
        if self.cumulative is None:
            yield 0, period
            return
        # of a period that is not over, the last day that has begun
        last = min(period.end - DAY, question.today)
        if last < period.first:
            return
        match self.cumulative.period_agg:
            case "first":
                days = [period.first]
            case "last":
                days = [last]
            case "average":
                days = list(Period(period.first, last + DAY).days)
        window = self._window(question)
        for point, day in enumerate(days):
            yield point, window(day)

    def _window(self, question: Question) -> Callable[[date], Period]:
        cumulative = self.cumulative
        assert cumulative is not None  # noqa: S101 - for the type checker: only asked with one
        if cumulative.window is not None:
            span = Span.parse(cumulative.window)
            return lambda day: window_days(day, span)
        grain = cumulative.grain_to_date
        assert grain is not None  # noqa: S101 - for the type checker: the format has one of both
        return lambda day: Period(question.calendar.start_of(grain, day), day + DAY)


def _moved_once(period: Period, entry: DerivedInput, question: Question) -> Period:
    if entry.offset is not None:
        return moved(period, entry.offset, question.grain)
    to, grain = entry.offset_to_grain, question.grain
    assert to is not None  # noqa: S101 - for the type checker: a leg is moved by one of both
    if grain == "custom":
        raise ValueError("a period of days has no place in a longer one; use offset_window")
    first = question.calendar.start_of(to, period.first)
    found = question.calendar.period(grain, first)
    if found.first != first:
        raise ValueError(f"the first {grain} of a {to} does not begin with it")
    return found
