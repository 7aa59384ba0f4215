"""Decodes section 5 of a GPP string, TCF Canada, strictly, and maps it to statements about classes.

The section has express and implied consent apart. A class is granted if the person consented expressly to every
purpose in its row, and denied if neither consent covers one of them, which is how an objection shows. Implied
consent alone states nothing. The framework does not use purpose 1; the other purposes are those of TCF.

The section ends with sets of vendors in one of two codes, Fibonacci as published or fixed as older encoders
write. Which vendors they name changes no statement, but a section that fits neither code is refused whole.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.bits import Bits
from identity.planning.consent.signals.classes import Class
from identity.planning.consent.signals.tcf import LONGEST, read_times
from identity.planning.consent.signals.vendors import HIGHEST, read_ranges, read_vendors
from identity.values.errors import BadSignal
from identity.values.stamps import Micros

VERSION: Final = 1
PURPOSES: Final[dict[Class, frozenset[int]]] = {
    "ads": frozenset({2, 3, 4, 7}),
    "analytics": frozenset({8, 9, 10}),
    "personalisation": frozenset({5, 6}),
}
_BEFORE_PURPOSES: Final = 12
_DISCLOSED, _PUBLISHER = 1, 3


class TcfCanada(Struct, frozen=True):
    """A section: when it was last updated (microseconds), and the purposes of each consent, numbered from 1."""

    last_updated: Micros
    express: frozenset[int]
    implied: frozenset[int]


def decode(text: str, now: Micros) -> TcfCanada:
    """The section `text`, which may be up to a day ahead of `now` (microseconds). Raises BadSignal."""
    if not 0 < len(text) <= LONGEST:
        raise BadSignal
    core, *segments = text.split(".")
    bits = Bits(core)
    if bits.take(6) != VERSION:
        raise BadSignal
    _, updated = read_times(bits, now)
    bits.take(12 + 12 + 6)
    bits.letters()
    bits.take(12 + 6 + 1)
    bits.take(_BEFORE_PURPOSES)
    express, implied = bits.ids(24), bits.ids(24)
    _finish(core, bits.at, _vendors_of_core)
    kinds = [_segment(each) for each in segments]
    if len(set(kinds)) < len(kinds):
        raise BadSignal
    return TcfCanada(updated, express, implied)


def statements(section: TcfCanada) -> dict[Class, bool]:
    """The statement about each class in the table above; none about a class with implied consent."""
    covered = section.express | section.implied
    return {
        name: section.express >= needed
        for name, needed in PURPOSES.items()
        if section.express >= needed or not covered >= needed
    }


def _segment(text: str) -> int:
    """The kind of a segment, whose content states nothing here."""
    bits = Bits(text)
    kind = bits.take(3)
    if kind == _PUBLISHER:
        bits.take(48)
        custom = bits.take(6)
        if custom:
            bits.take(2 * custom)
        bits.finish()
    elif kind == _DISCLOSED:
        _finish(text, bits.at, lambda bits, code: code(bits))
    else:
        raise BadSignal
    return kind


def _finish(text: str, position: int, read: Callable[[Bits, Callable[[Bits], None]], None]) -> None:
    """Read the rest of `text` in one of the two codes. Raises BadSignal if it fits neither."""
    for code in (_fibonacci_set, _fixed_set):
        bits = Bits(text)
        bits.at = position
        try:
            read(bits, code)
            bits.finish()
        except BadSignal:
            continue
        return
    raise BadSignal


def _vendors_of_core(bits: Bits, code: Callable[[Bits], None]) -> None:
    """The vendors with express and with implied consent, and restrictions, which older sections leave out."""
    code(bits)
    code(bits)
    if bits.left < 12:  # noqa: PLR2004 (the bits of the number of restrictions)
        return
    for _ in range(bits.take(12)):
        bits.take(6 + 2)
        if code is _fibonacci_set:
            code(bits)
        else:
            read_ranges(bits)


def _fixed_set(bits: Bits) -> None:
    read_vendors(bits)


def _fibonacci_set(bits: Bits) -> None:
    """A set of vendors in Fibonacci code, or as a bit field."""
    top = bits.take(16)
    if not bits.flag():
        bits.take(top)
        return
    last = 0
    for _ in range(bits.take(12)):
        is_range = bits.flag()
        last += bits.fibonacci()
        if is_range:
            last += bits.fibonacci()
        if last > HIGHEST:
            raise BadSignal
