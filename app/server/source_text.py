"""The text of a log line as it stands in the source of the module that wrote it: without any value of run time.

A text that was put together at run time may hold a value of a call, in any form. So nothing of it is used: the text
is read from the source, at the line of the call, and every value is shown as the placeholder of the source, or `...`.
"""

import ast
import logging
from functools import lru_cache
from pathlib import Path
from typing import Final

LONGEST: Final = 200
VALUE: Final = "..."
_CALLS: Final = frozenset(("debug", "info", "warning", "warn", "error", "exception", "critical", "log"))


def source_text(record: logging.LogRecord) -> str | None:
    """The text of a record as its source has it, in one line; None where the source has none or cannot be read."""
    constants, calls = _texts(record.pathname)
    for first, last, text in calls:
        if first <= record.lineno <= last:
            return _line(text)
    return _line(record.msg) if isinstance(record.msg, str) and record.msg in constants else None


def _line(text: str) -> str:
    return " ".join(text.split())[:LONGEST]


@lru_cache(maxsize=64)
def _texts(path: str) -> tuple[frozenset[str], tuple[tuple[int, int, str], ...]]:
    """The constant texts of a module, and (first line, last line, text) of its calls of a logger."""
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return frozenset(), ()
    constants = frozenset(
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    calls = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS:
            texts = [text for argument in node.args[:2] if (text := _static(argument)).replace(VALUE, "").strip()]
            if texts:
                calls.append((node.lineno, node.end_lineno or node.lineno, texts[0]))
    return constants, tuple(calls)


def _static(node: ast.expr) -> str:
    """The constant parts of an expression, with `...` for the others."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_static(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _static(node.left) + _static(node.right)
    return VALUE
