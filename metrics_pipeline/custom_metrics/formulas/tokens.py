"""A formula cut into tokens: the only place that looks at its characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.limits import LENGTH, NUMBER_LITERAL, TEXT_LITERAL

Kind = Literal["number", "string", "word", "quoted", "symbol", "end"]

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<comment>--|/\*)
  | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?(?![0-9A-Za-z_.]))
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<operator>->>|->|\|\||\*\*|//|:=|=>)
  | (?P<symbol>::|==|<>|!=|<=|>=|[-+*/(),=<>])
  | (?P<foreign>[%^&|~@#$?!\[\]{}:.;])
    """,
    re.VERBOSE,
)
# Two of these side by side are one operator to the engine, and another one than its parts.
_OPERATOR_PART = frozenset("*/<>=")

FOREIGN = {
    "||": "Joining text",
    "%": "The remainder of a division",
    "^": "Raising to a power",
    "**": "Raising to a power",
    "//": "Integer division",
    "->": "Reaching into a value",
    "->>": "Reaching into a value",
    "[": "Reaching into a value",
    "]": "Reaching into a value",
    "{": "A template or a nested value",
    "}": "A template or a nested value",
    "$": "A parameter",
    "?": "A parameter",
    ":": "A parameter",
    "@": "The sign @",
    ":=": "An assignment",
    "=>": "An assignment",
    "~": "A pattern",
}

# They change how the text around them looks, so that what is read is not what is seen.
_MISLEADING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Token:
    """kind and where it stands. value: words in small letters, what quotes hold, other tokens as they are written."""

    kind: Kind
    value: str
    position: int

    def is_symbol(self, *values: str) -> bool:
        return self.kind == "symbol" and self.value in values

    def is_word(self, *values: str) -> bool:
        return self.kind == "word" and self.value in values


def tokens_of(text: str) -> list[Token]:
    """The tokens of a formula, an `end` last.

    Raises:
        FormulaError: it is too long, or has something in it that no formula has.
    """
    if len(text) > LENGTH:
        raise FormulaError("expr_too_long", f"A formula has at most {LENGTH:,} characters; this one has {len(text):,}.")
    return [*_tokens(text), Token("end", "", len(text))]


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    previous: Token | None = None
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        kind, written = str(match.lastgroup), match.group()
        if kind != "space":
            token = _token(kind, written, position, previous)
            if previous is not None and _runs_together(previous, token):
                detail = "Two operators stand side by side; leave a space between them."
                raise FormulaError("expr_parse_error", detail, previous.position)
            yield token
            previous = token
        position = match.end()


def _runs_together(first: Token, second: Token) -> bool:
    symbols = first.kind == second.kind == "symbol" and first.position + len(first.value) == second.position
    # to the engine an operator that has a ! in it may end with a sign: a != -1 needs its space
    sign = first.value == "!=" and second.value == "-"
    return symbols and (sign or (first.value[-1] in _OPERATOR_PART and second.value[0] in _OPERATOR_PART))


def _token(kind: str, written: str, position: int, previous: Token | None) -> Token:
    if kind == "number":
        if len(written) > NUMBER_LITERAL or float(written) == float("inf"):
            raise FormulaError("expr_literal_too_long", "This number is too large or has too many digits.", position)
        return Token("number", written.lower(), position)
    if kind == "word":
        return Token("word", written.lower(), position)
    if kind in ("string", "quoted"):
        value = written[1:-1].replace(written[0] * 2, written[0])
        _check_seen(value, position)
        if len(value) > TEXT_LITERAL:
            detail = f"Text and names in quotes have at most {TEXT_LITERAL} characters."
            raise FormulaError("expr_literal_too_long", detail, position)
        return Token("string" if kind == "string" else "quoted", value, position)
    if kind == "symbol":
        return Token("symbol", written, position)
    raise _foreign(kind, written, position, previous)


def _check_seen(value: str, position: int) -> None:
    for character in value:
        if unicodedata.category(character) in _UNSEEN or character in _MISLEADING:
            detail = "There is a control character in quotes. Leave it out."
            raise FormulaError("expr_bad_character", detail, position)


def _foreign(kind: str, written: str, position: int, previous: Token | None) -> FormulaError:
    if kind == "comment":
        detail = "A formula has no comments; for a double minus, write - (-x)."
        return FormulaError("expr_node_not_allowed", detail, position)
    if written == ";":
        return FormulaError("expr_not_single", "A formula is a single expression, without a semicolon.", position)
    if written == ".":
        if previous is not None and previous.kind in ("word", "quoted"):
            detail = "Name a column alone, without a table and a point before it."
            return FormulaError("expr_qualified_column", detail, position)
        return FormulaError("expr_parse_error", "A point stands alone here; a number is written 0.5.", position)
    what = FOREIGN.get(written, f"The operator {written}")
    return FormulaError("expr_node_not_allowed", f"{what} is not part of the formula language.", position)


def _unreadable(text: str, position: int) -> FormulaError:
    character = text[position]
    if character in "'\"":
        return FormulaError("expr_parse_error", "A quote is opened here and never closed.", position)
    if character.isascii() and character.isdigit():
        detail = "Write a number with digits and at most one point: 12, 0.5 or 1e6."
        return FormulaError("expr_parse_error", detail, position)
    detail = f"The character U+{ord(character):04X} is not part of the formula language outside quotes."
    return FormulaError("expr_bad_character", detail, position)
