"""Reads a value of a call as plain text: the first step for identifiers, message ids and group ids.

A value becomes its text whole or is refused with a reason; no value is cut or repaired.
"""

import unicodedata
from decimal import Decimal
from typing import Final

from identity.values.enums import UnlinkedReason

LONGEST_VALUE: Final = 1024

# NFC takes time quadratic in a run of combining marks; at most four characters become one.
_LONGEST_RAW = 4 * LONGEST_VALUE
# So many marks at most become one with the character before them.
_MOST_COMPOSED = 3
_MOST_BITS = (10**LONGEST_VALUE).bit_length()
_EXACT_FLOAT = 2.0**53
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
_VISIBLE = frozenset("LNPS")
# Letters and signs without a shape: the fillers of Hangul, the blank of Braille, the empty note head.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
_LONGEST_SHOWN = 80


class UnusableValue(ValueError):
    """A value that is no identifier; `shown` is a short printable form of the value, for the sender alone."""

    def __init__(self, reason: UnlinkedReason, shown: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.shown = shown


def plain(value: object) -> str:
    """The NFC text of a value without outer space, before the rule of its type. Raises UnusableValue.

    A number becomes its decimal string (42.0 is 42, 1e-7 is 0.0000001). A float of 2^53 or more is refused: such
    a float stands for several whole numbers and would join the people who have them.
    """
    if not isinstance(value, str):
        return _decimal(value)
    text = value.strip()
    if text.isascii() and 0 < len(text) <= LONGEST_VALUE and text.isprintable():
        return text
    if not text.isascii():
        if len(text) > LONGEST_VALUE and (len(text) > _LONGEST_RAW or _stays_too_long(text)):
            raise UnusableValue(UnlinkedReason.TOO_LONG, shown(text))
        text = unicodedata.normalize("NFC", text)
    if len(text) > LONGEST_VALUE:
        raise UnusableValue(UnlinkedReason.TOO_LONG, shown(text))
    if not text:
        raise UnusableValue(UnlinkedReason.EMPTY, "")
    if text.isprintable() or not any(unicodedata.category(c) in _REFUSED_CATEGORIES for c in text):
        return text
    raise UnusableValue(UnlinkedReason.CONTROL_CHARACTERS, shown(text))


def _stays_too_long(text: str) -> bool:
    """Whether the combining marks alone are too many for NFC to bring a text to the longest value."""
    left = run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        left += run > _MOST_COMPOSED
    return left > LONGEST_VALUE


def unreadable(text: str) -> str | None:
    """What keeps people from reading a text, in words that follow the name of its field; None for a good one.

    Tabs and line ends are allowed, and so are format characters beside others: some scripts and emoji need them.
    """
    categories = {unicodedata.category(c) for c in text if c not in "\t\n\r"}
    if not categories & {"Cc", "Cs"}:
        return None if is_visible(text) else "is blank; write it in words"
    return "holds a control character; write it in words"


def is_visible(text: str) -> bool:
    """Whether a text shows anything: a letter, a digit or a sign, and not blanks, fillers and marks alone."""
    return any(unicodedata.category(c)[0] in _VISIBLE and c not in _FILLERS for c in text)


def usable(value: object) -> bool:
    """Whether a value has a plain text."""
    try:
        plain(value)
    except UnusableValue:
        return False
    return True


def shown(text: str) -> str:
    """A short form of any text that is storable and printable."""
    cut = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
    return "".join(c if c.isprintable() else "?" for c in cut)


def kind_of(value: object) -> str:
    """The JSON kind of a value, in place of a value that has no short text."""
    return _KINDS.get(type(value), "(value)")


def _decimal(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        if value.bit_length() < _MOST_BITS:
            return str(value)
        raise UnusableValue(UnlinkedReason.TOO_LONG, "(number)")
    if not isinstance(value, float):
        raise UnusableValue(UnlinkedReason.NOT_TEXT, kind_of(value))
    if not -_EXACT_FLOAT < value < _EXACT_FLOAT:
        raise UnusableValue(UnlinkedReason.INEXACT_NUMBER, repr(value))
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")


_KINDS: Final[dict[type, str]] = {
    bool: "(boolean)",
    int: "(number)",
    float: "(number)",
    str: "(text)",
    list: "(array)",
    dict: "(object)",
    type(None): "(null)",
}
