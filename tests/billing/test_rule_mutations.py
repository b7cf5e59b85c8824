"""A fault in any rule fails a case: each mutant of their source is held against the tables.

The mutants live in memory only. Words are left alone but for ids, levels and verdicts.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType

import registry.billing.rules
from tests.billing.rule_cases import failures

PACKAGE = "registry.billing.rules"
FOLDER = Path(registry.billing.rules.__file__).parent
# A module comes after those that it imports. The first two and the last hold no logic.
NAMES = (
    *("entry", "closing", "entries_codes", "entries_images", "rulebook", "facts", "comparison"),
    *("severity", "advice", "verdicts", "origins", "uses", "instances", "judging", "__init__"),
)
MUTATED = tuple(name for name in NAMES if name not in {"entry", "closing", "__init__"})
WORD = re.compile(r"[A-Za-z0-9_]*")
OTHERWISE: dict[type, tuple[type[ast.AST], ...]] = {
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.BitAnd: (ast.BitOr, ast.Sub),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitAnd, ast.BitOr),
    ast.Sub: (ast.BitOr, ast.BitAnd),
    ast.Add: (ast.Sub,),
}
# Mutants that do the same as the rules, each with the reason why.
EQUIVALENT = {
    "severity: 0 to -1": "no rule goes below the lowest level; the guard is for one to come",
}


def mutants(tree: ast.Module) -> Iterator[tuple[int, str, CodeType]]:
    """Yield line, kind and code of each mutant of a module; the tree is put right again."""
    for node in ast.walk(tree):
        for field, value in list(ast.iter_fields(node)):
            if isinstance(node, ast.keyword) and node.arg in {"frozen", "slots"}:
                continue  # of a dataclass
            items = value if isinstance(value, list) else [value]
            for index, item in enumerate(items):
                line = getattr(item, "lineno", getattr(node, "lineno", 0))
                for said, other in replacements(node, field, item):
                    if isinstance(value, list):
                        value[index] = other
                    else:
                        setattr(node, field, other)
                    yield line, said, compile(ast.fix_missing_locations(tree), str(line), "exec")
                    if isinstance(value, list):
                        value[index] = item
                setattr(node, field, value)


def replacements(parent: ast.AST, field: str, item: object) -> Iterator[tuple[str, ast.AST]]:
    """Yield what may stand wrongly where an item stands."""
    if field == "test" and isinstance(item, ast.expr):
        yield f"always {ast.unparse(item)}", ast.Constant(True)
        yield f"never {ast.unparse(item)}", ast.Constant(False)
    if field == "values" and isinstance(parent, ast.BoolOp) and isinstance(item, ast.expr):
        neutral = isinstance(parent.op, ast.And)
        yield f"without {ast.unparse(item)}", ast.Constant(neutral)
    match item:
        case ast.UnaryOp(op=ast.Not(), operand=ast.expr() as operand):
            yield f"no not before {ast.unparse(operand)}", operand
        case ast.Return(value=ast.expr() as value) if not is_nothing(value):
            yield f"no return of {ast.unparse(value)[:60]}", ast.Return(ast.Constant(None))
        case ast.Constant(value=value):
            yield from constants(value)
        case _:
            for other in OTHERWISE.get(type(item), ()):
                yield f"{type(item).__name__} to {other.__name__}", other()


def constants(value: object) -> Iterator[tuple[str, ast.AST]]:
    match value:
        case bool():
            yield f"{value} to {not value}", ast.Constant(not value)
        case int():
            yield f"{value} to {value + 1}", ast.Constant(value + 1)
            yield f"{value} to {value - 1}", ast.Constant(value - 1)
        case str() if value and WORD.fullmatch(value):
            yield f"'{value}' to another", ast.Constant("another")


def is_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and not value.value


def full_name(name: str) -> str:
    return PACKAGE if name == "__init__" else f"{PACKAGE}.{name}"


def load(codes: dict[str, CodeType], first: str = NAMES[0]) -> ModuleType:
    """Make the modules from `first` on afresh, and return the package.

    Those before it, and what is imported elsewhere, stay as they are.
    """
    before = {name: module for name, module in sys.modules.items() if name.startswith(PACKAGE)}
    try:
        for name in NAMES[NAMES.index(first) :]:
            module = ModuleType(full_name(name))
            sys.modules[full_name(name)] = module
            exec(codes[name], module.__dict__)  # noqa: S102
        return sys.modules[PACKAGE]
    finally:
        sys.modules.update(before)


def survives(codes: dict[str, CodeType], changed: str) -> bool:
    """Say whether no case tells the rules of these codes from the right ones."""
    try:
        return next(failures(load(codes, changed)), None) is None
    except Exception:  # noqa: BLE001
        return False


def test_every_module_of_the_rules_is_mutated():
    assert sorted(NAMES) == sorted(path.stem for path in FOLDER.glob("*.py"))


def test_the_rules_as_they_are_fail_no_case():
    assert list(failures(registry.billing.rules)) == []


def test_every_mutant_fails_a_case():
    trees = {name: ast.parse((FOLDER / f"{name}.py").read_text()) for name in NAMES}
    codes = {name: compile(tree, name, "exec") for name, tree in trees.items()}
    assert survives(codes, NAMES[0])

    fates = [
        (f"{name}: {said}", line, survives(codes | {name: mutant}, name))
        for name in MUTATED
        for line, said, mutant in mutants(trees[name])
    ]

    survivors = {name: line for name, line, has_survived in fates if has_survived}
    assert {name: line for name, line in survivors.items() if name not in EQUIVALENT} == {}
    assert survivors.keys() == EQUIVALENT.keys()
    assert len(fates) > 300
