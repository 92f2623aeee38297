"""A metric taken apart: the simple metrics that rows are read for, and the steps from them to the value."""

from __future__ import annotations

from dataclasses import dataclass, field

from metrics_pipeline.custom_metrics.compiler.legs import Leg
from metrics_pipeline.custom_metrics.model import Cumulative, Derived, Ratio, Simple
from metrics_pipeline.custom_metrics.versions import MetricVersion


@dataclass(frozen=True)
class Leaf:
    """A simple metric over certain days and rows. conditions: formulas of whoever uses it, outermost first."""

    metric: Simple
    conditions: tuple[str, ...]
    leg: Leg


@dataclass(frozen=True)
class Quotient:
    """A ratio of two steps, by their numbers."""

    numerator: int
    denominator: int


@dataclass(frozen=True)
class Computed:
    """A formula over steps, by what it calls them."""

    metric: Derived
    inputs: tuple[tuple[str, int], ...]


Step = Leaf | Quotient | Computed


@dataclass
class Plan:
    """Steps in the order of their computation; the last one is the value."""

    steps: list[Step] = field(default_factory=list)

    @classmethod
    def of(cls, version: MetricVersion) -> Plan:
        """The plan of a metric with its inputs. What is used twice in the same way is computed once."""
        plan = cls()
        plan._add(version, (), Leg())
        return plan

    @property
    def leaves(self) -> list[tuple[int, Leaf]]:
        """The leaves with their numbers."""
        return [(number, step) for number, step in enumerate(self.steps) if isinstance(step, Leaf)]

    def _add(self, version: MetricVersion, conditions: tuple[str, ...], leg: Leg) -> int:
        definition = version.definition

        def below(name: str, condition: str | None, leg: Leg) -> int:
            inner = conditions if condition is None else (*conditions, condition)
            return self._add(version.inputs[name], inner, leg)

        match definition:
            case Simple():
                return self._step(Leaf(definition, conditions, leg))
            case Cumulative():
                entry = definition.input_metric
                return below(entry.name, entry.filter, Leg(leg.offsets, definition))
            case Ratio():
                above, under = definition.numerator, definition.denominator
                return self._step(Quotient(below(above.name, above.filter, leg), below(under.name, under.filter, leg)))
            case Derived():
                inputs = tuple(
                    (entry.called, below(entry.name, entry.filter, leg.moved_by(entry)))
                    for entry in definition.input_metrics
                )
                return self._step(Computed(definition, inputs))

    def _step(self, step: Step) -> int:
        for number, known in enumerate(self.steps):
            if known == step:
                return number
        self.steps.append(step)
        return len(self.steps) - 1
