"""Random formulas as trees, written down as a person might, and evaluated in Python: nothing of the parser is used."""

from __future__ import annotations

import datetime as dt
import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

from metrics_pipeline.custom_metrics.formulas.formula import Datatype

Value = bool | int | float | str | dt.date | dt.datetime | None
Row = Mapping[str, Value]

COLUMNS: dict[str, Datatype] = {
    "views": "integer",
    "If": "integer",
    "amount": "number",
    "timestamp": "number",
    "name": "string",
    "order": "string",
    "ok": "boolean",
    "date": "date",
    "sent_at": "timestamp",
}
WRITTEN = {"order": '"order"', "If": "IF"}
TEXTS = ["12", " 7 ", "x", "", "2.5", "TRUE", "0", "INF", "NaN", "2026-01-02", "it's", "é"]
DAYS = [dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(1999, 12, 31)]
INSTANTS = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 2, 23, 59, 59, 5, tzinfo=dt.UTC)]
INTEGERS = [0, 1, -1, -5, 2, 3, 7, 100, 2**53 + 1, 2**63 - 1]
NUMBERS = ["0.5", "2.5", "-2.5", "100.0", "0.1", "1e300", "1e-300", "0.0", "3.14159", "9223372036854775808"]
CAST_FROM: dict[Datatype, list[Datatype]] = {
    "string": ["string", "integer", "boolean", "date"],
    "boolean": ["string", "boolean"],
    "integer": ["string", "boolean", "integer", "number"],
    "number": ["string", "integer", "number"],
    "date": ["string", "date", "timestamp"],
    "timestamp": ["string", "date", "timestamp"],
}
TYPE_WORDS = {
    "string": "VARCHAR",
    "boolean": "bool",
    "integer": "int",
    "number": "double",
    "date": "date",
    "timestamp": "timestamp",
}
# How closely the outermost operation of a tree binds; what binds less closely than its place needs parentheses.
OR, AND, NOT, IS, COMPARE, MEMBER, SUM, PRODUCT, SIGN, CAST, ATOM = range(11)


@dataclass(frozen=True)
class Tree:
    """An operation, what it is of, and its type; `detail` is a literal, a column, a type or a word."""

    operation: str
    datatype: Datatype
    parts: tuple[Tree, ...] = ()
    detail: Value = None


def random_tree(pick: random.Random, datatype: Datatype, depth: int) -> Tree:
    """A tree of a type, at most so deep."""
    if depth <= 0 or pick.random() < 0.15:
        return _leaf(pick, datatype)

    def of(kind: Datatype, *, shallow: bool = False) -> Tree:
        return random_tree(pick, kind, 0 if shallow else depth - 1)

    def numeric() -> Tree:
        return of(pick.choice(("integer", "number")))

    roll = pick.random()
    if roll < 0.12:
        return Tree("case", datatype, (of("boolean"), of(datatype), of(datatype)))
    if roll < 0.17:
        return Tree("if", datatype, (of("boolean"), of(datatype), of(datatype)))
    if roll < 0.25:
        return Tree("coalesce", datatype, tuple(of(datatype) for _ in range(pick.choice((2, 3)))))
    if roll < 0.29:
        return Tree("nullif", datatype, (of(datatype), of(datatype)))
    if roll < 0.39:
        source = pick.choice(CAST_FROM[datatype])
        return Tree("cast", datatype, (of(source),))
    if roll < 0.45 and datatype != "boolean":
        return Tree(pick.choice(("greatest", "least")), datatype, (of(datatype), of(datatype)))
    if datatype == "number":
        kind = pick.choice(
            ("+", "-", "*", "/", "+", "-", "*", "/", "sign", "abs", "floor", "ceil", "ln", "sqrt", "round")
        )
        if kind == "round":
            return Tree(kind, datatype, (numeric(),), pick.choice((None, 0, 2, -2, 15)))
        if kind == "sign":  # of a literal it is part of the literal
            operand = numeric()
            return Tree(
                kind, datatype, (operand if operand.operation != "literal" else Tree("abs", "number", (operand,)),)
            )
        return Tree(kind, datatype, (numeric(), numeric()) if kind in "+-*/" else (numeric(),))
    if datatype == "string":
        return Tree(pick.choice(("lower", "upper")), datatype, (of("string"),))
    if datatype == "boolean":
        return _random_boolean(pick, depth)
    return _leaf(pick, datatype)


def _random_boolean(pick: random.Random, depth: int) -> Tree:
    def of(kind: Datatype) -> Tree:
        return random_tree(pick, kind, depth - 1)

    kind = pick.choice(("and", "or", "not", "compare", "compare", "is", "between", "in"))
    if kind in ("and", "or"):
        return Tree(kind, "boolean", (of("boolean"), of("boolean")))
    if kind == "not":
        return Tree(kind, "boolean", (of("boolean"),))
    if kind == "is":
        what = pick.choice(("null", "not null", "true", "not true", "false", "not false"))
        inner: Datatype = pick.choice(list(CAST_FROM)) if "null" in what else "boolean"
        return Tree("is", "boolean", (of(inner),), what)
    operand: Datatype = pick.choice(("integer", "number", "string", "date", "timestamp"))
    if kind == "compare":
        other: Datatype = pick.choice(("integer", "number")) if operand in ("integer", "number") else operand
        symbol = pick.choice(("=", "<>", "<", "<=", ">", ">="))
        return Tree("compare", "boolean", (of(operand), of(other)), symbol)
    word = pick.choice(("", "not "))
    if kind == "between":
        return Tree("between", "boolean", (of(operand), of(operand), of(operand)), f"{word}between")
    items = tuple(_literal(pick, operand) for _ in range(pick.randint(1, 4)))
    return Tree("in", "boolean", (of(operand), *items), f"{word}in")


def _leaf(pick: random.Random, datatype: Datatype) -> Tree:
    if pick.random() < 0.5:
        return Tree(
            "column", datatype, detail=pick.choice([name for name, kind in COLUMNS.items() if kind == datatype])
        )
    return _literal(pick, datatype)


def _literal(pick: random.Random, datatype: Datatype) -> Tree:
    choices: dict[Datatype, list[Value]] = {
        "string": list(TEXTS),
        "boolean": [True, False],
        "integer": list(INTEGERS),
        "number": list(NUMBERS),
        "date": list(DAYS),
        "timestamp": list(INSTANTS),
    }
    return Tree("literal", datatype, detail=pick.choice(choices[datatype]))


def written(tree: Tree, pick: random.Random, needed: int = OR) -> str:
    """The tree as text, with the parentheses it needs and now and then some that it does not."""
    text, binds = _written(tree, pick)
    return f"({text})" if binds < needed or pick.random() < 0.05 else text


def _written(tree: Tree, pick: random.Random) -> tuple[str, int]:
    def word(name: str) -> str:
        return name if pick.random() < 0.8 else name.upper()

    def part(index: int, needed: int = OR) -> str:
        return written(tree.parts[index], pick, needed)

    gap = pick.choice(("", " "))
    match tree.operation:
        case "column":
            name = str(tree.detail)
            return WRITTEN.get(name, word(name) if pick.random() < 0.8 else f'"{name}"'), ATOM
        case "literal":
            text = _literal_text(tree.detail, tree.datatype)
            return text, SIGN if text.startswith("-") else ATOM
        case "and" | "or":
            level = AND if tree.operation == "and" else OR
            return f"{part(0, level)} {word(tree.operation)} {part(1, level + 1)}", level
        case "not":
            return f"{word('not')} {part(0, NOT)}", NOT
        case "is":
            return f"{part(0, IS)} {word('is')} {word(str(tree.detail))}", IS
        case "compare":
            symbol = pick.choice({"=": ("=", "=="), "<>": ("<>", "!=")}.get(str(tree.detail), (tree.detail,)))
            gap = " " if symbol == "!=" else gap  # != and a sign side by side are one operator
            return f"{part(0, MEMBER)}{gap}{symbol}{gap}{part(1, MEMBER)}", COMPARE
        case "between":
            return f"{part(0, SUM)} {word(str(tree.detail))} {part(1, SUM)} {word('and')} {part(2, SUM)}", MEMBER
        case "in":
            items = ", ".join(_written(item, pick)[0] for item in tree.parts[1:])
            return f"{part(0, SUM)} {word(str(tree.detail))} ({items})", MEMBER
        case "+" | "-" | "*" | "/":
            level = SUM if tree.operation in "+-" else PRODUCT
            right = part(1, level + 1)
            gap = " " if tree.operation == "-" else gap  # two minus signs side by side are a comment
            return f"{part(0, level)}{gap}{tree.operation}{gap}{right}", level
        case "sign":
            return f"- {part(0, SIGN)}", SIGN
        case "cast":
            kind = TYPE_WORDS[tree.datatype]
            if pick.random() < 0.5:
                return f"{part(0, CAST)}::{kind}", CAST
            return f"{word(pick.choice(('cast', 'try_cast')))}({part(0)} as {kind})", ATOM
        case "case":
            return f"case {word('when')} {part(0)} then {part(1)} else {part(2)} {word('end')}", ATOM
        case "round" if tree.detail is not None:
            return f"round({part(0)}, {tree.detail})", ATOM
    return f"{word(tree.operation)}{gap}({', '.join(part(i) for i in range(len(tree.parts)))})", ATOM


def _literal_text(value: Value, datatype: Datatype) -> str:
    if datatype == "number":
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, dt.datetime):
        return f"timestamp '{value.replace(tzinfo=None).isoformat(' ')}'"
    if isinstance(value, dt.date):
        return f"date '{value}'"
    return str(value).lower()


def evaluate(tree: Tree, row: Row) -> Value:
    """The value of a tree for a row: null is unknown, and a number that is not finite is null after every step."""
    if tree.operation == "literal":
        return float(str(tree.detail)) if tree.datatype == "number" else tree.detail
    if tree.operation == "column":
        found = row[str(tree.detail)]
        return _finite(found) if isinstance(found, float) else found
    values = [evaluate(part, row) for part in tree.parts]
    match tree.operation:
        case "case" | "if":
            return _as(values[1] if values[0] is True else values[2], tree.datatype)
        case "coalesce":
            return next((value for value in values if value is not None), None)
        case "nullif":
            return None if _compare("=", values[0], values[1]) is True else values[0]
        case "greatest" | "least":
            known = [value for value in values if value is not None]
            return None if not known else (max if tree.operation == "greatest" else min)(known)
        case "and":
            return _and(values[0], values[1])
        case "or":
            return _not(_and(_not(values[0]), _not(values[1])))
        case "not":
            return _not(values[0])
        case "is":
            negated, what = str(tree.detail).startswith("not "), str(tree.detail).removeprefix("not ")
            return (values[0] is {"null": None, "true": True, "false": False}[what]) is not negated
        case "compare":
            return _compare(str(tree.detail), values[0], values[1])
        case "between":
            inside = _and(_compare(">=", values[0], values[1]), _compare("<=", values[0], values[2]))
            return _not(inside) if str(tree.detail).startswith("not ") else inside
        case "in":
            if values[0] is None:
                return None
            return (values[0] in values[1:]) is not str(tree.detail).startswith("not ")
        case "lower" | "upper":
            return None if values[0] is None else getattr(str(values[0]), tree.operation)()
        case "cast":
            return None if values[0] is None else _cast(values[0], tree.datatype)
    if any(value is None for value in values):
        return None
    return _finite(_number(tree, [float(value) for value in values]))  # type: ignore[arg-type]


def _number(tree: Tree, values: list[float]) -> float:
    first = values[0]
    try:
        match tree.operation:
            case "+":
                return first + values[1]
            case "-":
                return first - values[1]
            case "*":
                return first * values[1]
            case "/":
                return first / values[1]
            case "sign":
                return -first
            case "abs":
                return abs(first)
            case "floor":
                return float(math.floor(first))
            case "ceil":
                return float(math.ceil(first))
            case "ln":
                return math.log(first)
            case "sqrt":
                return math.sqrt(first)
    except (ValueError, ZeroDivisionError):
        return math.nan
    assert tree.operation == "round"
    decimals = int(tree.detail or 0)  # type: ignore[arg-type]
    if decimals == 0:
        return _nearest(first)
    power = 10.0 ** abs(decimals)
    if decimals < 0:
        return _nearest(first / power) * power
    rounded = _nearest(first * power) / power if math.isfinite(first * power) else math.inf
    return rounded if math.isfinite(rounded) else first


def _nearest(value: float) -> float:
    whole = float(math.trunc(value))
    return whole + math.copysign(1.0, value) if abs(value - whole) >= 0.5 else whole


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _as(value: Value, datatype: Datatype) -> Value:
    return float(value) if datatype == "number" and isinstance(value, int) else value


def _compare(symbol: str, left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    if isinstance(left, float) or isinstance(right, float):  # as doubles, where Python would compare exactly
        left, right = float(left), float(right)  # type: ignore[arg-type]
    less, equal = left < right, left == right  # type: ignore[operator]
    return {"=": equal, "<>": not equal, "<": less, "<=": less or equal, ">": not (less or equal), ">=": not less}[
        symbol
    ]


def _and(left: Value, right: Value) -> Value:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _not(value: Value) -> Value:
    return None if value is None else not value


def _cast(value: Value, target: Datatype) -> Value:
    if isinstance(value, str):
        return _read(value, target)
    if target == "string":
        return str(value).lower()
    if target == "integer" and isinstance(value, float):
        return round(value) if -(2.0**63) <= value < 2.0**63 else None
    if target == "integer":
        return int(value)  # type: ignore[arg-type]
    if target == "number":
        return float(value)  # type: ignore[arg-type]
    if target == "date" and isinstance(value, dt.datetime):
        return value.date()
    if target == "timestamp" and isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    return value


def _read(text: str, target: Datatype) -> Value:
    if target == "string":
        return text
    if target == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    if target in ("integer", "number"):
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text.strip()):
            return None
        return float(text) if target == "number" else int(_nearest(float(text))) if "." in text else int(text)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    return _cast(dt.date.fromisoformat(text), target)
