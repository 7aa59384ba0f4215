"""Operations return values: no answer, and no field of one, is an object of unnamed fields."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import identity.operations

ROOT = Path(identity.operations.__path__[0])
MODULES = sorted(ROOT.rglob("*.py"))
LOOSE = {"Any", "object"}


def loose(annotation: ast.expr) -> Iterator[str]:
    """Each `dict` in an annotation whose values may be anything."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "dict":
            named = {each.id for each in ast.walk(node.slice) if isinstance(each, ast.Name)}
            if named & LOOSE:
                yield ast.unparse(node)


def found_in(source: str) -> list[str]:
    """The functions of a module that return such a `dict`, and the fields of its structs that are one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            found += [f"{node.name} returns {each}" for each in loose(node.returns)]
        elif isinstance(node, ast.ClassDef):
            fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
            found += [f"{ast.unparse(field.target)} is {each}" for field in fields for each in loose(field.annotation)]
    return found


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(ROOT)) for path in MODULES])
def test_an_operation_returns_named_fields(path: Path) -> None:
    """An object with keys of the customer is a `JsonObject`; every other one is a struct."""
    assert found_in(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f() -> dict[str, Any]: ...", ["f returns dict[str, Any]"]),
        ("async def f() -> list[dict[str, object]] | None: ...", ["f returns dict[str, object]"]),
        ("class A:\n    x: tuple[dict[str, list[Any]], int]", ["x is dict[str, list[Any]]"]),
        ("def f() -> dict[str, int]: ...", []),
        ("def f(x: dict[str, Any]) -> JsonObject: ...", []),
    ],
)
def test_a_planted_loose_answer_is_caught(source: str, expected: list[str]) -> None:
    """In a return annotation or a field, however deep."""
    assert found_in(source) == expected
