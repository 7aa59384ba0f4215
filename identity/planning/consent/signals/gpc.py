"""Reads Global Privacy Control: an opt-out of sale and sharing, without an opposite.

The header counts only with the value `1` and only for keys held by browsers. A server sends `context.gpc`,
since the header of its own request expresses no choice of a person.
"""

from collections.abc import Iterable
from typing import Final

from identity.planning.consent.signals.classes import OPT_OUT, Statements

_OPT_OUTS: Final = frozenset(("1", "true"))
_SILENT: Final = frozenset(("", "0", "false"))
_NO: Final = _SILENT | {"no", "n", "off"}
_SILENT_LINES: Final = frozenset((b"", b"0"))


def is_opt_out_header(value: object) -> bool:
    """Whether the value of a `Sec-GPC` header is `1`, the only one that opts out."""
    return type(value) in (str, bytes) and value in ("1", b"1")


def read_header(lines: Iterable[bytes]) -> bool | None:
    """Whether the lines of the `Sec-GPC` header of a request opt out; None if none does and one cannot be read.

    `0` and an empty line state nothing. A line that opts out counts beside any other.
    """
    stated = frozenset(lines)
    if any(map(is_opt_out_header, stated)):
        return True
    return False if stated <= _SILENT_LINES else None


def read_field(value: object) -> bool | None:
    """Whether a value of `context.gpc` opts out: `true`, 1, or the text of either; None if it cannot be read.

    Absent, `false`, 0 and their texts state nothing.
    """
    if value is None or type(value) is bool:
        return bool(value)
    if type(value) in (int, float) and value in (0, 1):
        return value == 1
    text = value.strip().lower() if type(value) is str else None
    return True if text in _OPT_OUTS else False if text in _SILENT else None


def read_words(value: object) -> bool:
    """Whether a value that cannot be read, or has another name (`doNotSell`), opts out: any but a clear no, as it may.

    A no is absent or empty, `false`, 0, `no`, `n`, `off`, or the text of one of these.
    """
    if value is None or type(value) in (bool, int, float, list, dict):
        return bool(value)
    return type(value) is not str or value.strip().lower() not in _NO


def statements() -> Statements:
    """The classes that the signal denies."""
    return OPT_OUT
