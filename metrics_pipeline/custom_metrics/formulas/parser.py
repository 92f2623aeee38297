"""The grammar: tokens in, one term out. What it does not name is refused, so nothing has to be forbidden by name.

    expression  = conjunction {"or" conjunction}
    conjunction = negation {"and" negation}
    negation    = "not" negation | test
    test        = relation {"is" ["not"] ("null" | "true" | "false")}
    relation    = member [("=" | "<>" | "<" | "<=" | ">" | ">=") member]
    member      = sum [["not"] ("in" "(" literal {"," literal} ")" | "between" sum "and" sum)]
    sum         = product {("+" | "-") product}
    product     = sign {("*" | "/") sign}
    sign        = "-" sign | primary {"::" type}
    primary     = number | text | "true" | "false" | "null" | ("date" | "timestamp") text | column
                | "(" expression ")" | ("cast" | "try_cast") "(" expression "as" type ")"
                | "case" [expression] {"when" expression "then" expression} ["else" expression] "end"
                | function "(" expression {"," expression} ")"

It binds as DuckDB binds; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metrics_pipeline.custom_metrics.formulas import terms
from metrics_pipeline.custom_metrics.formulas.cursor import Cursor
from metrics_pipeline.custom_metrics.formulas.datatypes import CAST_NAMES, Datatype
from metrics_pipeline.custom_metrics.formulas.engine import Engine
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.functions import FUNCTIONS, case
from metrics_pipeline.custom_metrics.formulas.limits import LIST
from metrics_pipeline.custom_metrics.formulas.literals import TYPED_LITERALS, typed_literal
from metrics_pipeline.custom_metrics.formulas.names import Names
from metrics_pipeline.custom_metrics.formulas.refusals import refused_call, refused_word
from metrics_pipeline.custom_metrics.formulas.terms import Term
from metrics_pipeline.custom_metrics.formulas.tokens import Token

COMPARISONS = {"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Parser(Cursor):
    """Reads one formula once.

    Attributes:
        used: the columns that were named, as the data set spells them.
    """

    def __init__(self, tokens: Sequence[Token], columns: Mapping[str, Datatype], table: str, engine: Engine) -> None:
        super().__init__(tokens)
        self._names = Names(columns, table, engine)
        self._engine = engine
        self.used: set[str] = set()

    def whole(self) -> Term:
        """The term of all tokens.

        Raises:
            FormulaError: they are not one formula of the language.
        """
        term = self._expression()
        if self._next.kind != "end":
            raise self._unexpected()
        return term

    def _expression(self) -> Term:
        term = self._conjunction()
        while self._took_word("or"):
            term = self._counted(terms.logic("or", term, self._conjunction()))
        return term

    def _conjunction(self) -> Term:
        term = self._negation()
        while self._took_word("and"):
            term = self._counted(terms.logic("and", term, self._negation()))
        return term

    def _negation(self) -> Term:
        position = self._next.position
        if not self._took_word("not"):
            return self._test()
        with self._deeper():
            return self._counted(terms.negation(self._negation(), position))

    def _test(self) -> Term:
        term = self._relation()
        while self._took_word("is"):
            negated = self._took_word("not")
            if not self._next.is_word("null", "true", "false"):
                raise self._error("expr_node_not_allowed", "After `is` stands null, true or false.")
            term = self._counted(terms.presence(term, self._take().value, negated=negated))
        return term

    def _relation(self) -> Term:
        left = self._member()
        if not self._next.is_symbol(*COMPARISONS):
            return left
        term = self._counted(terms.comparison(COMPARISONS[self._take().value], left, self._member()))
        if self._next.is_symbol(*COMPARISONS):
            raise self._error("expr_parse_error", "Comparisons cannot be chained; join two of them with `and`.")
        return term

    def _member(self) -> Term:
        term = self._sum()
        negated = self._next.is_word("not") and self._tokens[self._at + 1].is_word("in", "between")
        if negated:
            self._take()
        if self._took_word("in"):
            return self._counted(terms.membership(term, self._list(), negated=negated))
        if self._took_word("between"):
            low = self._sum()
            self._need_word("and")
            return self._counted(terms.between(term, low, self._sum(), negated=negated))
        return term

    def _list(self) -> list[Term]:
        opened = self._need("(")
        if self._next.is_symbol(")"):
            raise self._error("expr_parse_error", "The list of `in` is empty.")
        nodes = self._nodes
        items: list[Term] = []
        while True:
            item = self._sign()
            if not item.literal:
                detail = "The list of `in` holds literals only: numbers, text, true, false, dates."
                raise FormulaError("expr_node_not_allowed", detail, item.position)
            items.append(item)
            self._nodes = nodes  # they count as one, with the list
            if len(items) > LIST:
                raise FormulaError("expr_too_large", f"The list of `in` has at most {LIST} literals.", opened.position)
            if not self._took(","):
                self._need(")")
                return items

    def _sum(self) -> Term:
        term = self._product()
        while self._next.is_symbol("+", "-"):
            term = self._counted(terms.arithmetic(self._take().value, term, self._product()))
        return term

    def _product(self) -> Term:
        term = self._sign()
        while self._next.is_symbol("*", "/"):
            term = self._counted(terms.arithmetic(self._take().value, term, self._sign()))
        return term

    def _sign(self) -> Term:
        position = self._next.position
        if self._took("-"):
            with self._deeper():
                return self._counted(terms.negative(self._sign(), position))
        term = self._primary()
        while self._took("::"):
            term = self._counted(terms.cast(term, self._type(), position))
        return term

    def _primary(self) -> Term:
        token = self._next
        if token.kind == "number":
            return self._counted(terms.number(self._take().value, token.position))
        if token.kind == "string":
            return self._counted(terms.text_literal(self._take().value, token.position))
        if token.kind == "quoted":
            return self._column(self._take())
        if self._took("("):
            with self._deeper():
                term = self._expression()
            self._need(")")
            return term
        if token.kind == "word":
            return self._word()
        raise self._unexpected()

    def _word(self) -> Term:
        token = self._next
        following = self._tokens[self._at + 1]
        if token.value in ("true", "false"):
            self._take()
            return self._counted(Term("boolean", token.value, token.value, token.position, literal=True))
        if token.value == "null":
            self._take()
            return self._counted(Term(None, "null", "null", token.position))
        if token.value == "case":
            return self._case()
        if following.is_symbol("("):
            return self._call()
        if token.value in TYPED_LITERALS and following.kind == "string":
            self._take()
            return self._counted(typed_literal(token, self._take()))
        refused = refused_word(token)
        if refused is not None and not self._names.has(token.value):
            raise refused
        return self._column(self._take())

    def _column(self, token: Token) -> Term:
        if token.kind == "quoted" and self._next.is_symbol("("):
            raise FormulaError("expr_function_not_allowed", "A function is named without quotes.", token.position)
        name, term = self._names.column(token)
        self.used.add(name)
        return self._counted(term)

    def _call(self) -> Term:
        token = self._take()
        if token.value in ("cast", "try_cast"):
            return self._cast(token)
        function = FUNCTIONS.get(token.value)
        if function is None:
            raise refused_call(token, self._engine.aggregates)
        arguments: list[Term] = []
        with self._deeper():
            self._need("(")
            if not self._next.is_symbol(")"):
                arguments.append(self._expression())
                while self._took(","):
                    arguments.append(self._expression())
            self._need(")")
        if len(arguments) < function.fewest or (function.most is not None and len(arguments) > function.most):
            detail = f"{token.value} takes another number of arguments."
            raise FormulaError("expr_parse_error", detail, token.position)
        return self._counted(function.build(token.value, arguments, token.position))

    def _cast(self, token: Token) -> Term:
        with self._deeper():
            self._need("(")
            term = self._expression()
        self._need_word("as")
        target = self._type()
        self._need(")")
        return self._counted(terms.cast(term, target, token.position))

    def _type(self) -> Datatype:
        token = self._next
        target = CAST_NAMES.get(token.value) if token.kind == "word" else None
        if target is None or self._tokens[self._at + 1].is_symbol("("):
            known = "varchar, boolean, bigint, double, date or timestamp"
            raise self._error("expr_cast_not_allowed", f"The type of a cast is {known}.")
        self._take()
        return target

    def _case(self) -> Term:
        position = self._take().position
        with self._deeper():
            compared = None if self._next.is_word("when") else self._expression()
            branches: list[tuple[Term, Term]] = []
            while self._took_word("when"):
                condition = self._expression()
                if compared is not None:
                    condition = self._counted(terms.comparison("=", compared, condition))
                self._need_word("then")
                branches.append((condition, self._expression()))
            if not branches:
                raise self._error("expr_parse_error", "A case has at least one `when`.")
            otherwise = self._expression() if self._took_word("else") else None
        self._need_word("end")
        return self._counted(case(branches, otherwise, position))
