"""A time, a stamp, and an id of each kind have types of their own in every signature of identity and app.

Both times and stamps are integers, and nine kinds of values are bytes: without the types a call that confuses two of
them passes every check.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The columns of tables have the types of the database; keys and seals have no part in these types.
# `values/ids` makes and reads ids of every kind, and an origin of `app/http` is that of a web page.
UNTYPED = (
    "identity/store/tables",
    "identity/store/embedded",
    "identity/vault",
    "identity/webhooks",
    "identity/values/ids.py",
    "app/http",
)
TIMES = {
    "now", "received", "received_at", "created_at", "due_at", "closed_at", "acked_at", "pushed_at", "first_seen",
    "last_seen", "until",
}  # fmt: skip
STAMPS = {"stamp", "linked_at", "joined_at", "oldest_birth"}
NUMBERS = {"space_id", "destination"}
IDS = {
    "origin", "origins", "canonical", "joined_to", "head", "heads", "id", "id_", "profile_id", "public_id",
    "account_id", "request_id", "erasure_id", "hold_id", "export_id", "job_id", "destination_id",
}  # fmt: skip
NAMES = {**dict.fromkeys(TIMES | STAMPS | NUMBERS, "int"), **dict.fromkeys(IDS | {"set_key"}, "bytes")}


def declared(tree: ast.AST) -> list[tuple[int, str, ast.expr]]:
    """Every parameter and field with a type: its line, name and type."""
    found: list[tuple[int, str, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            found.append((node.lineno, node.arg, node.annotation))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append((node.lineno, node.target.id, node.annotation))
    return found


def is_bare(type_: ast.expr, bare: str) -> bool:
    """Whether a type is a bare one, alone, optional or in a collection of one type."""
    match type_:
        case ast.Name(id=name):
            return name == bare
        case ast.BinOp(left=left, right=right):
            return is_bare(left, bare) or is_bare(right, bare)
        case ast.Subscript(slice=ast.Name(id=name)):
            return name == bare
    return False


def test_every_time_stamp_and_id_has_its_type() -> None:
    """A parameter or field that is called like one of them is declared as one of them."""
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}: {ast.unparse(type_)}"
        for path in sorted([*(ROOT / "identity").rglob("*.py"), *(ROOT / "app").rglob("*.py")])
        if not str(path.relative_to(ROOT)).startswith(UNTYPED)
        for line, name, type_ in declared(ast.parse(path.read_text()))
        if name in NAMES and is_bare(type_, NAMES[name])
    ]

    assert found == []


def test_a_bare_type_is_found() -> None:
    """Alone, optional, and in a collection."""
    tree = ast.parse("def f(now: int, stamp: int | None, origins: list[bytes], origin: ProfileId): ...")

    assert [name for _, name, type_ in declared(tree) if is_bare(type_, NAMES[name])] == ["now", "stamp", "origins"]
