"""The statement of one simple metric: rows, values by day, values by period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from metrics_pipeline.custom_metrics.compiler.aggregates import stages
from metrics_pipeline.custom_metrics.compiler.rows import LeafRows

READS = "application_reads"


@dataclass(frozen=True)
class LeafStatement:
    """Common table expressions of one leaf; the last two are `leaf_N` and `known_N`.

    leaf_N: period, the breakdown's columns, _value, _final (null where rows do not say), _people. known_N: period,
    is_over, is_begun.
    """

    rows: LeafRows

    @property
    def number(self) -> int:
        return self.rows.number

    def expressions(self) -> Iterator[tuple[str, str]]:
        """Name and statement of each."""
        number, rows = self.number, self.rows
        yield f"rows_{number}", rows.statement()
        if rows.leaf.metric.non_additive_dimension is None:
            yield from self._points()
        else:
            yield from self._balances()
        people = rows.dataset.people is not None and bool(rows.groups)
        if people:
            yield f"people_{number}", self._people()
        yield f"told_{number}", self._told()
        yield f"leaf_{number}", self._periods(with_people=people)
        yield f"known_{number}", self._known()

    @property
    def _keys(self) -> str:
        return ", ".join(["period", "point", *self.rows.groups])

    @property
    def _asked(self) -> str:
        return f"asked_days s on s.leaf = {self.number} and s.day = p._day"

    def _points(self) -> Iterator[tuple[str, str]]:
        """Values by day where the aggregate allows it, then by point of a period."""
        number, groups = self.number, self.rows.groups
        ways = stages(self.rows.leaf.metric, self.rows.datatype)
        source = f"rows_{number}"
        if ways.daily is not None:
            days = ", ".join(["_day", *groups])
            daily = f"select {days}, {ways.daily}, bool_and(_final) as _final from {source} group by all"
            source = f"days_{number}"
            yield source, daily
        elif ways.keeps_values:
            days = ", ".join(["_day", *groups, "_value"])
            once = f"select {days}, bool_and(_final) as _final from {source} group by all"
            source = f"days_{number}"
            yield source, once
        joined = f"select s.period, s.point, p.* from {source} p join {self._asked}"
        whole = f"select {self._keys}, {ways.whole} as _value, bool_and(_final) as _final from ({joined}) group by all"
        yield f"points_{number}", whole

    def _balances(self) -> Iterator[tuple[str, str]]:
        """Of each group the rows at the latest time of the period, or at the earliest; then their aggregate."""
        number, rows = self.number, self.rows
        balance = rows.leaf.metric.non_additive_dimension
        assert balance is not None  # noqa: S101 - for the type checker: asked only where there is one
        ways = stages(rows.leaf.metric, rows.datatype)
        cells = ["period", "point", *rows.groups, *rows.groupings]
        same = " and ".join(f"j.{cell} is not distinct from e.{cell}" for cell in cells)
        dated = f"select s.period, s.point, p.* from rows_{number} p join {self._asked}"
        at = f"{balance.window_choice}(_at) filter (where _value is not null)"
        extreme = f"select {', '.join(cells)}, {at} as _at from dated_{number} group by all"
        # rows beyond it have no value: they add nothing, but what is not final among them may still become one
        beyond = f"j._at {'>=' if balance.window_choice == 'max' else '<='} e._at"
        yield f"dated_{number}", dated
        yield f"extremes_{number}", extreme
        yield f"picked_{number}", f"select j.* from dated_{number} j join extremes_{number} e on {same} and {beyond}"
        source = f"picked_{number}"
        if ways.daily is not None:
            yield (
                f"parts_{number}",
                f"select {self._keys}, {ways.daily}, bool_and(_final) as _final from {source} group by all",
            )
            source = f"parts_{number}"
        whole = f"select {self._keys}, {ways.whole} as _value, bool_and(_final) as _final from {source} group by all"
        yield f"points_{number}", whole

    def _periods(self, *, with_people: bool) -> str:
        """One row a period: the mean over points where that is asked for, else the one point there is."""
        number, groups = self.number, self.rows.groups
        keys = ", ".join(["period", *groups])
        mean = "fsum(_value order by _value) / nullif(count(_value), 0)"
        value = mean if self.rows.leaf.leg.is_averaged else "max(_value)"
        source = f"points_{number}"
        if self.rows.leaf.leg.is_averaged and self.rows.leaf.metric.fill_nulls_with is not None:
            source = f"(select p.*, b.begun, c.points from {source} p {self._points_begun()})"
            # where no rows are nothing, every day that has begun counts, those without rows as 0
            value = (
                "fsum(_value order by _value) / nullif(count(_value) filter (where not coalesce(begun, false)) "
                "+ coalesce(max(points), 0), 0)"
            )
        points = f"select {keys}, {value} as _value, bool_and(_final) as _final from {source} group by all"
        if not with_people:
            return f"select *, cast(null as bigint) as _people from ({points})"
        same = " and ".join(["l.period = u.period", *(f"l.{g} is not distinct from u.{g}" for g in groups)])
        people = f"select {keys}, min(_people) as _people from people_{number} group by all"
        return f"select l.*, u._people from ({points}) l left join ({people}) u on {same}"

    def _points_begun(self) -> str:
        """Joins points that have begun, and how many of a period's have, to `p`."""
        joined = f"(select period, point, day from {self._mine}) s join told_{self.number} t on s.day = t.day"
        begun = f"select s.period, s.point, true as begun from {joined} where t.begun group by all"
        return (
            f"left join ({begun}) b on p.period = b.period and p.point = b.point "
            f"left join (select period, count(*) as points from ({begun}) group by all) c on p.period = c.period"
        )

    def _people(self) -> str:
        """Distinct people behind each cell of a breakdown."""
        groups = ", ".join(["_day", *self.rows.groups, "_person"])
        once = f"select distinct {groups} from rows_{self.number} where _person is not null"
        joined = f"select s.period, s.point, p.* from ({once}) p join {self._asked}"
        return f"select {self._keys}, count(distinct _person) as _people from ({joined}) group by all"

    def _told(self) -> str:
        """Of each day that is asked whether it is over and known, and whether any of it is."""
        rows, question = self.rows, self.rows.question
        days = f"select distinct day, utc_first, utc_end, ends from {self._mine}"
        if rows.dataset.is_read_by_day:
            # an application's UTC day is known from when it was read: after its end whole, before it in part; of the
            # last UTC day of a day of another zone so much is enough as lies in it
            reads = (
                f'select "date" as _read, last_read_at from {READS} where table_name = {rows.bind(rows.dataset.name)}'
            )
            whole = "bool_and(cast(r.last_read_at as date) > r._read or r.last_read_at >= d.ends)"
            return (
                f"select d.day, count(r._read) = max(d.utc_end - d.utc_first) and coalesce({whole}, false) as over, "
                f"count(r._read) > 0 as begun from ({days}) d left join ({reads}) r "
                "on r._read >= d.utc_first and r._read < d.utc_end group by d.day"
            )
        today = rows.bind(question.today)
        over, begun = f"day < {today}", f"day <= {today}"
        # a table that is read whole has rows of any day, and rows that say themselves whether they are final
        if not rows.dataset.is_application and rows.dataset.completeness is None:
            first = max(question.known_from, question.kept_from.get(rows.dataset.table, question.known_from))
            since = f" and day >= {rows.bind(first)}"
            over, begun = over + since, begun + since
        return f"select day, {over} as over, {begun} as begun from ({days})"

    @property
    def _mine(self) -> str:
        return f"asked_days where leaf = {self.number}"

    def _known(self) -> str:
        """Of each period whether all of its days are over and known, and whether any of them is."""
        known = "bool_and(t.over) as is_over, bool_or(t.begun) as is_begun"
        joined = f"(select period, day from {self._mine}) s join told_{self.number} t on s.day = t.day"
        return f"select s.period, {known} from {joined} group by all"
