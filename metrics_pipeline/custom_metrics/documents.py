"""Files of definitions: YAML or JSON, one definition, a list, or a list under `metrics`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from metrics_pipeline.custom_metrics.model import FORMAT, Definition, document_of
from metrics_pipeline.custom_metrics.requirement_shape import is_requirement_shape, read_requirement_shape
from metrics_pipeline.errors import UserError

EXAMPLES = Path(__file__).with_name("examples")
LONGEST_FILE = 1_000_000
MOST_DEFINITIONS = 1_000


class _Loader(yaml.SafeLoader):
    """YAML without repetition: a name twice in a mapping loses one of them, an alias can grow without end."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(problem="aliases are not read; write it out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {str(name) for name in names if names.count(name) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(
                problem=f"{min(twice)} is there twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_definitions(text: str) -> list[dict[str, object]]:
    """The documents of a file, in the format's own shape; definitions of the older shape are converted.

    Raises:
        UserError: the text is no YAML or JSON, or holds no definitions.
        DefinitionError: one of the older shape cannot be converted.
    """
    if len(text) > LONGEST_FILE:
        raise UserError(f"The file is longer than {LONGEST_FILE:,} characters: split it.")
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader, made stricter
    except yaml.YAMLError as error:
        raise UserError(f"The file is no YAML or JSON: {_reason(error)}.") from None
    except RecursionError:
        raise UserError("The file is nested too deeply.") from None
    documents = list(_documents(content))
    if len(documents) > MOST_DEFINITIONS:
        raise UserError(f"The file has more than {MOST_DEFINITIONS:,} definitions: split it.")
    if not documents:
        raise UserError("The file holds no definitions: write one, a list of them, or `metrics:` with a list.")
    return documents


def as_yaml(definitions: Sequence[Definition]) -> str:
    """A file with these definitions, which `read_definitions` reads."""
    content = {"format": FORMAT, "metrics": [document_of(definition) for definition in definitions]}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def example_files() -> dict[str, Path]:
    """The definitions that come with the package, by name."""
    return {file.stem: file for file in sorted(EXAMPLES.glob("*.yaml"))}


def _documents(content: object) -> Iterator[dict[str, object]]:
    if isinstance(content, dict) and "metrics" in content:
        beside = set(content) - {"metrics", "format"}
        if beside:
            raise UserError(f"{min(map(str, beside))!r} does not belong beside `metrics`.")
        if content.get("format", FORMAT) != FORMAT:
            raise UserError(f"The file's format is not {FORMAT}.")
        content = content["metrics"]
    for entry in content if isinstance(content, list) else [content] if content is not None else []:
        if not isinstance(entry, dict):
            raise UserError("A definition is a mapping, with name, type and more.")
        document = {str(key): value for key, value in entry.items()}
        if is_requirement_shape(document):
            yield from read_requirement_shape(document)
        else:
            yield document


def name_of(document: Mapping[str, object]) -> str:
    """What a document calls itself, as far as it does."""
    return str(document.get("name", "a definition without a name"))[:63]


def _reason(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or "it cannot be read"
    mark = getattr(error, "problem_mark", None)
    return f"{problem} (line {mark.line + 1})" if mark is not None else str(problem)
