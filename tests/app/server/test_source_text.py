"""The text of a log line is that of its source, without any value of run time."""

import logging
from pathlib import Path

import pytest

from app.server.source_text import LONGEST, source_text

SOURCE = """import logging
log = logging.getLogger("x")
WARNING = "The disk is full."
def write(name):
    log.info("Hello %s", name)
    log.info(f"Hello {name}, " + "again " + name)
    log.log(
        20,
        "Over several "
        "lines",
    )
    log.info(name)
    log.info("{}".format(name))
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    """The path of a module that logs."""
    path = tmp_path / "module.py"
    path.write_text(SOURCE)
    return str(path)


def text(path: str, line: int, message: str = "Hello Ann") -> str | None:
    """The text of a record that was made at a line of a module."""
    return source_text(logging.LogRecord("x", logging.INFO, path, line, message, (), None))


@pytest.mark.parametrize(
    ("line", "expected"),
    [(5, "Hello %s"), (6, "Hello ..., again ..."), (9, "Over several lines"), (12, None), (13, None)],
)
def test_every_value_is_a_placeholder(module: str, line: int, expected: str | None) -> None:
    """A text without a constant part is none."""
    assert text(module, line) == expected


def test_a_constant_of_the_module_is_the_text_of_a_record_without_a_call() -> None:
    """As that of a warning, which another module writes."""
    path = __file__
    assert text(path, 1, SOURCE) == " ".join(SOURCE.split())[:LONGEST]
    assert text(path, 1, SOURCE + "Ann") is None


def test_a_module_that_cannot_be_read_has_no_text(tmp_path: Path) -> None:
    """A compiled one, or one that is no Python."""
    broken = tmp_path / "broken.py"
    broken.write_text("def (")

    assert text("<string>", 1) is None
    assert text(str(broken), 1) is None
