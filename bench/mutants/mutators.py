"""Makes the mutants of a module: one change each, to its syntax tree."""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

REPOSITORY = Path(__file__).resolve().parents[2]
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
NAMES = {"all": "any", "any": "all", "min": "max", "max": "min"}
PROSE = frozenset({"reason", "remediation", "url", "action", "title", "description"})
"""Keyword arguments whose text no rule judges by."""
TOLD_BY = frozenset({"violation"})
"""Functions whose arguments are prose as well."""
NOTHING = ast.parse("pass").body[0]
YIELD_NOTHING = ast.parse("yield from ()").body[0]


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes:
        id: module, function, and what became what; the same after lines have moved.
        file: in the repository, with slashes.
        line: of the change.
        source: digest of the module's text.
        place: of the changed node in the module's tree, and which of its changes; None for the module as it is.
    """

    id: str
    file: str
    line: int
    source: str
    place: tuple[int, int] | None

    @property
    def module(self) -> str:
        return self.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    def code(self) -> CodeType:
        """Compile the changed module; only the fork that runs it pays for that."""
        tree = ast.parse((REPOSITORY / self.file).read_text())
        if self.place is not None:
            place, number = self.place
            target = [node for _, node in _judged(tree)][place]
            ast.fix_missing_locations(_Replace(target, list(_changes(target))[number]).visit(tree))
        return compile(tree, str(REPOSITORY / self.file), "exec")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def unchanged(file: str) -> Mutant:
    """The module as it is: its tests must pass, and say how long they take."""
    return Mutant(f"{file} as it is", file, 0, digest((REPOSITORY / file).read_text()), None)


def mutants(file: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its text."""
    text = (REPOSITORY / file).read_text()
    tree = ast.parse(text)
    seen, prose = Counter[str](), _prose(tree)
    for place, (function, node) in enumerate(_judged(tree)):
        for number, changed in enumerate(_changes(node)):
            what = f"{file}:{function}: {_short(node)} -> {_short(changed)}"
            seen[what] += 1  # also of what is left out: an id stays the same mutant's
            if node in prose or _says_no(node):
                continue
            name = what if seen[what] == 1 else f"{what} #{seen[what]}"
            yield Mutant(name, file, getattr(node, "lineno", 0), digest(text), (place, number))


def _prose(tree: ast.AST) -> set[ast.AST]:
    """Return the texts that a message is made of: arguments of `violation`, alone or after an `or`."""
    arguments: list[ast.expr] = []
    for each in ast.walk(tree):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in TOLD_BY:
            arguments += each.args
    arguments += [argument.values[-1] for argument in arguments if isinstance(argument, ast.BoolOp)]
    return {argument for argument in arguments if isinstance(argument, ast.Constant)}


def _says_no(node: ast.AST) -> bool:
    """Whether it returns False or an empty text: None is as good, and the constant itself has a mutant."""
    return isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and node.value.value in (False, "")


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:110]


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self.target, self.replacement = target, replacement

    def visit(self, node: ast.AST) -> ast.AST:
        return self.replacement if node is self.target else self.generic_visit(node)


def _judged(node: ast.AST, function: str = "module") -> Iterator[tuple[str, ast.AST]]:
    """Yield each node that is run to judge, with its function: no annotation, docstring, import or prose."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_comment"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_left_out(child):
                continue
            inside = function
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                inside = child.name if function == "module" else f"{function}.{child.name}"
            yield inside, child
            yield from _judged(child, inside)


def _is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())) | ast.JoinedStr():
            return True
        case ast.keyword(arg=str(name)):
            return name in PROSE
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node may become instead."""
    yield from _of_a_value(node)
    yield from _of_a_condition(node)
    yield from _of_a_step(node)


def _of_a_value(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(number) | float(number)):
            yield ast.Constant(number + 1)
        case ast.Constant(value=str(text)):
            yield ast.Constant(f"XX{text}")
        case ast.Name(id=name, ctx=ast.Load()) if name in NAMES:
            yield ast.Name(NAMES[name], ast.Load())
        case ast.BinOp(left=left, op=op, right=right) if type(op) in COMPUTED:
            yield ast.BinOp(left, COMPUTED[type(op)](), right)


def _of_a_condition(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARED:
            yield ast.Compare(left, [COMPARED[type(op)]()], [right])
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(_negated(test), body, orelse)
        case ast.While(test=test, body=body, orelse=orelse):
            yield ast.While(_negated(test), body, orelse)
        case ast.IfExp(test=test, body=kept, orelse=other):
            yield ast.IfExp(_negated(test), kept, other)
        case ast.comprehension(target=target, iter=iterated, ifs=[_, *_] as ifs, is_async=is_async):
            yield ast.comprehension(target, iterated, ifs[1:], is_async)


def _of_a_step(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            yield YIELD_NOTHING
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield NOTHING
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)
