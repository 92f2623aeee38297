"""The language that people write formulas of custom metrics in: docs/formulas.md."""
