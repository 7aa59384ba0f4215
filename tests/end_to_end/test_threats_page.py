"""Every numbered attack of docs/threats.md is held by tests that exist, or the page says why it is not built.

The page is the only list of numbers, so no attack is forgotten and none is held in name only.
"""

import importlib
import re
from typing import Final

import pytest

from tests.conftest import ROOT

FIRST: Final = 122
"""The attacks of the first list; later numbers are given by subject, and may leave room between subjects."""
NOT_BUILT: Final = {62}
ROWS: Final = re.findall(
    r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs" / "threats.md").read_text(), re.MULTILINE
)
HELD_BY: Final = {int(number): re.findall(r"`([\w/]+)\.py::(\w+)`", tests) for number, _, _, tests in ROWS}


def test_every_number_has_a_row() -> None:
    """The page lists each number once, in order, and none of the first is missing."""
    numbers = [int(row[0]) for row in ROWS]
    assert numbers == sorted(set(numbers))
    assert numbers[:FIRST] == list(range(1, FIRST + 1))


def test_every_number_is_held_by_a_test() -> None:
    """Each attack names a test, except those that aim at something that is not built."""
    assert {number for number, tests in HELD_BY.items() if not tests} == NOT_BUILT


@pytest.mark.parametrize("number", sorted(HELD_BY.keys() - NOT_BUILT))
def test_the_named_tests_exist_and_run(number: int) -> None:
    """A named test is collected, states its claim, and is neither skipped nor run by hand only."""
    for module, name in HELD_BY[number]:
        test = getattr(importlib.import_module(f"tests.{module.replace('/', '.')}"), name)
        assert name.startswith("test_"), name
        assert test.__doc__, name
        marks = {mark.name for mark in getattr(test, "pytestmark", ())}
        assert not marks & {"skip", "soak", "xfail"}, name


def test_a_test_that_bears_a_number_is_in_its_row() -> None:
    """A test named after an attack stands in the row of this attack."""
    numbered = re.compile(r"^def (test_attacks?_(\d+)(?:_and_(\d+))?_\w+)", re.MULTILINE)
    for path in sorted((ROOT / "tests" / "end_to_end" / "attacks").glob("test_*.py")):
        for name, *numbers in numbered.findall(path.read_text()):
            for number in filter(None, numbers):
                assert (f"end_to_end/attacks/{path.stem}", name) in HELD_BY[int(number)], name
