"""Which questions make up the stored values of a metric: its total and each of its breakdowns, by version in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from metrics_pipeline.custom_metrics.calculating import Asked
from metrics_pipeline.custom_metrics.compiler.plan import Plan
from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.periods import Calendar, Period, PeriodGrain
from metrics_pipeline.custom_metrics.registry.records import version_in_force
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.windows import DAY


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a question needs beside the metric.

    known_from: the first day of collection. kept_from: by table the first day whose rows are all kept still.
    owner_of_unowned: whose rows of no workspace are.
    """

    now: datetime
    known_from: date
    calendar: Calendar
    owner_of_unowned: str | None
    kept_from: Mapping[str, date] = field(default_factory=dict)


def question(
    version: MetricVersion,
    grain: PeriodGrain,
    periods: Sequence[Period],
    around: Surroundings,
    dimensions: Sequence[str] = (),
) -> Question:
    """A question about a version; periods that have not begun are left out."""
    definition = version.definition
    today = around.now.astimezone(ZoneInfo(definition.timezone)).date()
    return Question(
        version.workspace_id,
        grain,
        tuple(period for period in periods if period.first <= today),
        today,
        around.known_from,
        definition.timezone,
        tuple(dimensions),
        around.calendar,
        reads_unowned=around.owner_of_unowned == version.workspace_id,
        kept_from=around.kept_from,
    )


def stored_questions(
    versions: Sequence[MetricVersion],
    grain: PeriodGrain,
    periods: Sequence[Period],
    around: Surroundings,
    can_be_asked: Callable[[MetricVersion], bool] = lambda _: True,
) -> Iterator[Asked]:
    """The questions whose answers are stored: of each version in force the total, and one breakdown by each field.

    can_be_asked: whether a version can be asked by this grain; earlier ones of a metric may be and later ones not.
    """
    by_version: dict[int, list[Period]] = {}
    known = {version.version: version for version in versions}
    for period in periods:
        version = version_in_force(versions, period.first)
        if version is not None and can_be_asked(version):
            by_version.setdefault(version.version, []).append(period)
    for number, mine in by_version.items():
        version = known[number]
        for dimensions in ((), *((name,) for name in version.definition.dimensions)):
            asked = Asked(version, question(version, grain, mine, around, dimensions))
            if asked.question.periods:
                yield asked


def without_expired(asked: Asked, datasets: Datasets) -> Asked:
    """The question without periods that rest on days whose rows have expired.

    What was stored of them while the rows were there stays: computed anew it would be a part of it, or nothing.
    """
    gone: set[int] = set()
    kept_from = asked.question.kept_from
    for _, leaf in Plan.of(asked.version).leaves:
        dataset = datasets.get(leaf.metric.dataset)
        table = None if dataset is None else dataset.table  # one that is gone is told when it is compiled
        if table is None or table not in kept_from:
            continue
        # the first day of another zone has hours of the UTC day before it
        first = kept_from[table] + (timedelta(0) if asked.question.timezone == "UTC" else DAY)
        gone |= {number for number, _, day in leaf.leg.spans(asked.question) if day < first}
    periods = tuple(period for number, period in enumerate(asked.question.periods) if number not in gone)
    return replace(asked, question=replace(asked.question, periods=periods))
