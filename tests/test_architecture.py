"""Rules for every file: size, names, the content of lock files. The import contracts have tests of their own.

Each rule is one test that names every file against it.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = sorted(
    path
    for folder in ("app", "identity", "migrations", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
TESTS = [path for path in CODE if path.relative_to(ROOT).parts[0] == "tests"]
MODULES = [path for path in CODE if path.relative_to(ROOT).parts[0] in {"app", "identity"}]
LOCKS = ["requirements.lock", "requirements-build.lock", "requirements-dev.lock"]
LONGEST = 300
FULLEST = 20
# A constructor with more fields is called by their names.
MOST_BY_POSITION = 4
# A module named so has no subject; a mark or a handler of that kind is unfinished work.
SHAPELESS = {"utils", "util", "helpers", "helper", "manager", "service", "services", "base", "common", "misc"}
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|except Exception:\s*pass|(?<![.\w])print\(")


read = cache(Path.read_text)


def names(paths: Iterable[Path]) -> list[str]:
    """Paths as they are called in the repository."""
    return [str(path.relative_to(ROOT)) for path in paths]


def test_a_module_is_short_and_opens_with_a_docstring() -> None:
    """A module is short enough to read, opens with what it keeps, and is named after its subject."""
    texts = {path: read(path) for path in MODULES}

    assert MODULES
    assert names(path for path, text in texts.items() if len(text.splitlines()) > LONGEST) == []
    assert names(path for path, text in texts.items() if not text.startswith('"""')) == []
    assert names(path for path in MODULES if path.stem in SHAPELESS) == []
    assert names(path for path, text in texts.items() if UNFINISHED.search(text)) == []


def test_a_test_module_is_short_and_imports_no_other() -> None:
    """What two test modules need is in `tests/support`, in modules as short as all others."""
    other = re.compile(r"^ *(?:from|import) +tests\.\S*\btest_\w+", re.MULTILINE)

    assert TESTS
    assert names(path for path in TESTS if len(read(path).splitlines()) > LONGEST) == []
    assert names(path for path in TESTS if other.search(read(path))) == []


def test_no_folder_is_crowded() -> None:
    """A folder of code, tests or builders holds what one reader keeps in mind."""
    modules = [path for path in CODE if path.name != "__init__.py"]
    crowded = [folder for folder, found in Counter(path.parent for path in modules).items() if found > FULLEST]

    assert names(crowded) == []


def test_packages_export_nothing() -> None:
    """No package re-exports: a name bound there could hide a module from the contracts."""
    imports = re.compile(r"^(?:from|import) +([\w.]+)", re.MULTILINE)
    busy = [
        path
        for path in MODULES
        if path.name == "__init__.py"
        and set(imports.findall(read(path))) - {".".join(path.parent.relative_to(ROOT).parts)}
    ]

    assert names(busy) == []


def named(expression: ast.expr) -> str:
    """The last name in an expression: `Row` in `rows.Row`, `Row[int]`, `Row(frozen=True)`."""
    match expression:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner) | ast.Call(func=inner):
            return named(inner)
    return ""


def fields_of(classes: dict[str, ast.ClassDef], name: str) -> int:
    """The number of fields of a record and of the classes it inherits; 0 of any other class."""
    if name not in classes:
        return 0
    made, bases = classes[name], [named(base) for base in classes[name].bases]
    inherited = sum(fields_of(classes, base) for base in bases)
    records = {"Struct", "NamedTuple"} & {*bases} or "dataclass" in map(named, made.decorator_list)
    own = [part for part in made.body if isinstance(part, ast.AnnAssign) and "ClassVar" not in ast.dump(part)]
    return inherited + len(own) if records or inherited else 0


def by_position(call: ast.Call) -> bool:
    """Whether a call gives a value by position; a whole row that is unpacked has the order of its columns."""
    return bool(call.args) and not any(isinstance(value, ast.Starred) for value in call.args)


def test_a_constructor_of_many_fields_is_called_by_their_names() -> None:
    """Two values of one type in a long call change places unseen; a name beside each shows the mistake."""
    texts = {path: read(path) for path in MODULES}
    records = [text for text in texts.values() if re.search("Struct|NamedTuple|@dataclass", text)]
    parts = [part for text in records for part in ast.parse(text).body]
    classes = {part.name: part for part in parts if isinstance(part, ast.ClassDef)}
    long = {name for name in classes if fields_of(classes, name) > MOST_BY_POSITION}
    # Only a module with such a call is parsed as a whole; a call whose first value is named has no unnamed one.
    call = re.compile(r"\b(_?[A-Z]\w+)\(\s*(?![\s*)]|\w+=[^=])")
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {named(node.func)}"
        for path, text in texts.items()
        if long.intersection(call.findall(text))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and named(node.func) in long and by_position(node)
    ]

    assert {"IdentifierRow", "Outcome", "Profile"} <= long
    assert found == []


def test_no_two_classes_have_one_name() -> None:
    """The name of a class says which one it is, wherever a reader meets it."""
    found = Counter(
        node.name for path in MODULES for node in ast.parse(read(path)).body if isinstance(node, ast.ClassDef)
    )

    assert [name for name, times in found.items() if times > 1] == []


def test_one_reader_of_the_environment() -> None:
    """Only the settings touch the environment."""
    readers = [path for path in MODULES if re.search(r"os\.(environ|getenv|putenv)", read(path))]

    assert names(readers) == ["app/settings.py"]


def test_no_path_of_a_machine() -> None:
    """No file names the home or work folder of its author."""
    folder = re.compile(r"/(?:root|home|Users|work)/\w")
    found = [path for path in CODE if path != Path(__file__) and folder.search(read(path))]

    assert names(found) == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_versions_and_hashes_alone(name: str) -> None:
    """A lock file names versions and hashes, and no place that they come from."""
    text = (ROOT / name).read_text()
    entries = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)

    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert re.findall(r"://|^\s*-[a-z-]*(?:index|find-links|trusted)|file:| @ |^\s*/", text, re.MULTILINE) == []


def test_the_development_lock_only_adds() -> None:
    """The lock of development only adds: the server runs on, and is built with, what was tested."""
    run, build, dev = (set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS)

    assert run | build <= dev
