"""Who may import whom. Imports inside functions count as well: being late does not make an arrow point elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "metrics_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE = 300
# The only places of the HTTP interface that know the lake, and what they may know of it.
API_READERS = {"api/services.py", "api/reading/", "api/live/"}
READING_PIECES = {"connect", "lake", "predicates", "session", "spill", "table_spec", "tables"}

# Parts that others use alone, and all of the package that they may know: what those are made of is as pure as they are.
KNOWS_ONLY = {"client": {"client", "shapes", "sqlite_wal"}, "shapes": {"shapes"}, "sqlite_wal": set[str]()}

# The Dagster side of the project: the only code that may import Dagster.
DAGSTER_SIDE = {"assets", "checks", "automation", "definitions", "partitions"}
# These build on the Dagster side; everyone else reaches it from inside a function, so that commands start fast.
LOADS_DAGSTER_AT_ONCE = DAGSTER_SIDE | {"demo"}

FORBIDDEN: dict[str, set[str]] = {
    "platforms": {"lake", "control", "collection", "aggregation", "imports", "events", "api", *DAGSTER_SIDE},
    "lake": {"platforms", "catalog", "control", "collection", "aggregation", "imports", "events", "api", *DAGSTER_SIDE},
    "control": {
        "lake",
        "platforms",
        "collection",
        "aggregation",
        "imports",
        "events",
        "api",
        "custom_metrics",
        *DAGSTER_SIDE,
    },
    "custom_metrics": {"platforms", "collection", "imports", "sandbox", "api", "cli", *DAGSTER_SIDE},
    "sandbox": {"lake", "control", "platforms", "collection", "aggregation", "imports", "events", "api", *DAGSTER_SIDE},
    "catalog": {"lake", "control", "platforms", "collection", "aggregation", "imports", "events", "api", *DAGSTER_SIDE},
    "application": {
        "platforms",
        "collection",
        "aggregation",
        "imports",
        "events",
        "sandbox",
        "api",
        "cli",
        *DAGSTER_SIDE,
    },
    "aggregation": {"platforms", "control", "collection", "imports", "api", *DAGSTER_SIDE},
    "collection": {"aggregation", "imports", "events", "api", *DAGSTER_SIDE},
    "events": {"platforms", "collection", "aggregation", "imports", "api", "cli", *DAGSTER_SIDE},
    "api": {"platforms", "collection", "aggregation", "imports", "cli", *DAGSTER_SIDE},
    "realtime": {
        "platforms",
        "catalog",
        "lake",
        "control",
        "collection",
        "aggregation",
        "imports",
        "events",
        "sandbox",
        "api",
        "cli",
        *DAGSTER_SIDE,
    },
}


@dataclass(frozen=True)
class Import:
    """One import: the module that has it, what it names, and whether it runs as soon as the module is loaded."""

    importer: Path
    line: int
    name: str
    at_once: bool

    @property
    def part(self) -> str:
        """The importing part of the package: a folder, or a module at the top."""
        return part_of(self.importer)

    @property
    def target(self) -> str | None:
        """The imported part of the package; None for other packages."""
        first, _, rest = self.name.partition(".")
        return rest.split(".")[0] if first == "metrics_pipeline" and rest else None

    def __str__(self) -> str:
        return f"{self.importer.relative_to(PACKAGE.parent)}:{self.line} imports {self.name}"


def part_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(module: Path) -> Iterator[Import]:
    """Every import of a module, wherever it stands; `from package import module` names both."""
    tree = ast.parse(module.read_text())
    for node, at_once in _statements(tree.body, at_once=True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, node.lineno, alias.name, at_once)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: relative imports hide where an arrow points"
            for alias in node.names:
                yield Import(module, node.lineno, f"{node.module}.{alias.name}", at_once)


def _statements(body: list[ast.stmt], *, at_once: bool) -> Iterator[tuple[ast.stmt, bool]]:
    for statement in body:
        yield statement, at_once
        late = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) or _is_for_types(statement)
        for child in ast.walk(statement):
            if isinstance(child, ast.stmt) and child is not statement:
                yield child, at_once and not (late or _inside_function(statement, child))


def _inside_function(outer: ast.stmt, inner: ast.stmt) -> bool:
    functions = (f for f in ast.walk(outer) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(inner in ast.walk(function) for function in functions)


def _is_for_types(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test)


ALL = [found for module in MODULES for found in imports_of(module)]


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    source = tmp_path / "sample.py"
    source.write_text(
        "import dagster\nif TYPE_CHECKING:\n    import duckdb\nclass C:\n    import os\n    def m(self):\n"
        "        from metrics_pipeline.lake import tables\n"
    )

    found = {found.name: found.at_once for found in imports_of(source)}

    assert found == {"dagster": True, "duckdb": False, "os": True, "metrics_pipeline.lake.tables": False}


def test_only_the_dagster_side_imports_dagster() -> None:
    assert [str(i) for i in ALL if _is_dagster(i.name) and i.part not in DAGSTER_SIDE] == []


def test_nothing_imports_what_dagster_keeps_private() -> None:
    assert [str(i) for i in ALL if _is_dagster(i.name) and any(p.startswith("_") for p in i.name.split("."))] == []


def test_the_dagster_side_is_loaded_late() -> None:
    assert [str(i) for i in ALL if i.at_once and i.target in DAGSTER_SIDE and i.part not in LOADS_DAGSTER_AT_ONCE] == []


@pytest.mark.parametrize("part", sorted(FORBIDDEN))
def test_a_part_does_not_know_the_parts_above_it(part: str) -> None:
    assert [str(i) for i in ALL if i.part == part and i.target in FORBIDDEN[part]] == []


def test_the_api_reads_the_lake_and_never_writes_it() -> None:
    """What comes in goes to the inbox, which is not the lake; a few parts read, with the pieces that read."""
    arrows = [i for i in ALL if i.part == "api" and i.target == "lake"]
    outside = {i.importer.relative_to(PACKAGE).as_posix() for i in arrows} - {
        m for m in API_READERS if m.endswith(".py")
    }
    assert [name for name in outside if not name.startswith(tuple(m for m in API_READERS if m.endswith("/")))] == []
    assert {i.name.split(".")[2] for i in arrows} <= READING_PIECES


@pytest.mark.parametrize("part", sorted(KNOWS_ONLY))
def test_the_client_can_be_used_without_the_rest(part: str) -> None:
    outside = {i for i in ALL if i.part == part and i.target is not None and i.target not in KNOWS_ONLY[part]}
    assert [str(i) for i in outside] == []


def test_every_part_of_a_rule_exists() -> None:
    parts = {part_of(module) for module in MODULES}
    assert (set(FORBIDDEN) | set(KNOWS_ONLY) | LOADS_DAGSTER_AT_ONCE).union(*FORBIDDEN.values()) <= parts


def test_modules_stay_short() -> None:
    lengths = {str(m.relative_to(PACKAGE)): len(m.read_text().splitlines()) for m in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def _is_dagster(name: str) -> bool:
    return name.split(".", maxsplit=1)[0].startswith("dagster")
