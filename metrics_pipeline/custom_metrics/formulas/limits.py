"""How large a formula may be. Everything downstream (time to read, to plan, depth of stacks) follows from these."""

from __future__ import annotations

LENGTH = 2_000
"""Characters, also of the normalised text."""
NODES = 200
"""Columns, literals, operators and functions; the literals of a list count as one."""
NESTING = 20
"""Parentheses, calls, cases, `not` and signs inside one another. Reading one level takes 13 Python frames."""
LIST = 200
"""Literals of `in (...)`."""
TEXT_LITERAL = 200
"""Characters of a text literal."""
NUMBER_LITERAL = 40
"""Characters of a number."""
WRITTEN_OUT = 2_000
"""Nodes of the SQL. A guard names what it guards two or three times, so divisors in divisors grow with powers of three.
DuckDB plans 2,000 nodes in 10 ms; without this limit twenty such levels would take it hours."""
