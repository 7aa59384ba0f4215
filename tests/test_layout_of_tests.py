"""Every module has a test file of its name at the same place, or this table says which tests hold it and why.

A module without any function only declares, and needs neither. A row may name a folder: it stands for the modules
directly in the folder that have no file of their own.
"""

import ast
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ("app", "identity")
    for path in (ROOT / folder).rglob("*.py")
    if path.name != "__init__.py"
)
COMMANDS: Final = "a command: tests run it as a program"
ROUTES: Final = "parses, calls one operation and renders: tests ask over HTTP"
SHAPES: Final = "renders values: every answer that a test receives is compared with the shapes"
SQL: Final = "statements: tests of the operations run them on Postgres, and their plans are explained"
OPERATIONS: Final = "joins planning and SQL: tests run it on Postgres, most of them over HTTP"

HELD_BY: Final[dict[str, tuple[str, ...]]] = {
    "app": ("composes the application: every test over HTTP runs it", "tests/app/http/test_openapi.py"),
    "app/commands": (
        COMMANDS, "tests/app/test_cli.py", "tests/app/commands/test_demo.py", "tests/app/commands/test_serve.py",
        "tests/end_to_end/privacy/test_restore_drill.py", "tests/end_to_end/attacks/test_keys.py",
    ),
    "app/commands/leak_scan": (COMMANDS, "tests/app/commands/leak_scan/test_command.py"),
    "app/routes": (
        ROUTES, "tests/app/routes/test_foreign_spaces.py", "tests/app/routes/consent/test_consent_signals.py",
        "tests/app/routes/destinations", "tests/app/routes/rejections",
    ),
    "app/schemas": (SHAPES, "tests/app/http/test_openapi.py", "tests/app/routes"),
    "app/schemas/segment": (SHAPES, "tests/app/routes/segment"),
    "app/server": ("the objects of a running process", "tests/app/routes/test_health.py"),
    "identity/operations/backup": (OPERATIONS, "tests/end_to_end/privacy/test_restore_drill.py"),
    "identity/operations/corrections": (
        OPERATIONS, "tests/app/routes/test_corrections.py", "tests/app/routes/test_rules.py",
        "tests/concurrency/properties/test_corrections.py", "tests/concurrency/properties/test_rebuild.py",
    ),
    "identity/operations/destinations": (
        OPERATIONS, "tests/app/routes/destinations", "tests/app/commands/test_export.py", "tests/concurrency/feed",
    ),
    "identity/operations/ingest": (
        OPERATIONS, "tests/identity/operations/ingest/test_commit.py", "tests/app/routes/test_groups.py",
        "tests/app/routes/consent/test_consent_signals.py", "tests/end_to_end/privacy/test_index_key_rotation.py",
    ),
    "identity/operations/integrity": (
        OPERATIONS, "tests/app/routes/rejections", "tests/app/commands/leak_scan/test_command.py",
    ),
    "identity/operations/keys": (
        OPERATIONS, "tests/end_to_end/privacy/test_epoch_key_roll.py",
        "tests/end_to_end/privacy/test_root_key_rotation.py", "tests/end_to_end/privacy/test_index_key_rotation.py",
        "tests/end_to_end/privacy/test_backup.py", "tests/app/routes/test_health.py",
    ),
    "identity/operations/privacy": (
        OPERATIONS, "tests/app/routes/test_erasures.py", "tests/app/routes/test_opendsr.py",
        "tests/end_to_end/privacy/test_receipts.py", "tests/identity/operations/privacy/test_erase_person.py",
    ),
    "identity/operations/privacy/access_exports": (
        OPERATIONS, "tests/app/routes/test_access_exports.py",
        "tests/identity/operations/privacy/access_exports/test_build_export.py",
    ),
    "identity/operations/spaces": (OPERATIONS, "tests/identity/operations/spaces/test_manage_spaces.py"),
    "identity/operations/warehouse": (OPERATIONS, "tests/app/commands/test_export.py"),
    "identity/spaces": (
        "shared by all operations that write", "tests/identity/operations/corrections/test_unmerge_profile.py",
        "tests/identity/operations/privacy/test_erase_groups.py",
        "tests/end_to_end/privacy/test_index_key_rotation.py", "tests/app/routes/test_found.py",
    ),
    "identity/store/corrections": (
        SQL, "tests/concurrency/properties/test_rebuild.py", "tests/app/routes/test_rules.py",
    ),
    "identity/store/destinations": (
        SQL, "tests/identity/operations/destinations", "tests/identity/store/test_statement_plans.py",
    ),
    "identity/store/ingest": (
        SQL, "tests/identity/store/ingest/test_load.py", "tests/app/routes/rejections/test_rejections.py",
    ),
    "identity/store/integrity": (
        SQL, "tests/identity/operations/integrity/test_verify_space.py", "tests/end_to_end/leaks/test_leaks.py",
    ),
    "identity/store/keys": (
        SQL, "tests/identity/operations/keys/test_roll_epoch_keys.py",
        "tests/end_to_end/privacy/test_index_key_rotation.py", "tests/end_to_end/privacy/test_backup.py",
    ),
    "identity/store/postgres": (
        SQL, "tests/identity/store/postgres/test_refused_connections.py", "tests/end_to_end/attacks/test_tenancy.py",
        "tests/identity/operations/corrections/test_rebuild_profiles.py",
    ),
    "identity/store/privacy": (
        SQL, "tests/identity/operations/privacy", "tests/end_to_end/privacy/test_restored_requests.py",
    ),
    "identity/store/spaces": (SQL, "tests/identity/operations/spaces"),
}  # fmt: skip
"""By module or folder: the reason, and the tests that fail with the modules."""

MOST_IN_THE_TABLE: Final = 121
"""The modules that the table stands for; the number only falls, so a new module has a file of its own."""


def only_declares(module: Path) -> bool:
    """Whether a module has no function, so that nothing in it can fail by itself."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return not any(isinstance(node, functions) for node in ast.walk(ast.parse((ROOT / module).read_text())))


def without_own_file() -> list[Path]:
    """The modules that do something and have no test file of their name."""
    return [
        module
        for module in MODULES
        if not (ROOT / "tests" / module.parent / f"test_{module.name}").exists() and not only_declares(module)
    ]


def test_every_module_has_a_test_of_its_name_or_a_row_in_the_table() -> None:
    """A stranger finds the tests of a module without a search."""
    assert [str(each) for each in without_own_file() if not {str(each), str(each.parent)} & HELD_BY.keys()] == []


def test_a_new_module_gets_a_file_of_its_own() -> None:
    """The table is for the modules that have always been held by other tests."""
    assert len(without_own_file()) <= MOST_IN_THE_TABLE


def test_every_row_of_the_table_is_needed_and_names_tests_that_exist() -> None:
    """A row goes when the last of its modules has a file of its own."""
    needed = {name for each in without_own_file() for name in (str(each), str(each.parent))}
    missing = [path for _, *paths in HELD_BY.values() for path in paths if not (ROOT / path).exists()]

    assert sorted(HELD_BY.keys() - needed) == []
    assert missing == []
