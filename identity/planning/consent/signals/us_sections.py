"""Decodes the US sections of a GPP string, national (7) and of the states (8 to 27), which never grant.

"Did not opt out" is no consent, and "does not apply" states nothing. For a known child the sections number the
answers in different ways, so any answer denies: consent for a child has to be recorded as such, not inferred
from a string.

A section only denies, so every denial that its bits show counts, also where the rest of the section is
malformed; `sound` is False for such a section. A section of an unknown version is not read, since the places of
its answers are unknown.
"""

from typing import Final, Literal, NamedTuple

from msgspec import Struct

from identity.planning.consent.signals.bits import Bits
from identity.planning.consent.signals.classes import OPT_OUT, Class, Statements, combine
from identity.values.errors import BadSignal

OPTED_OUT: Final = 1
NO_CONSENT: Final = 1
USNAT, USCA = 7, 8
_UNDEFINED: Final = 3
"""The one value of two bits without a meaning."""
_CHILD: Final[Statements] = {"ads": False, "sale_share": False, "sensitive": False}
_GPC: Final = 1
_KINDS: Final = 8
"""The answers in a segment of sensitive data."""


class Layout(NamedTuple):
    """The number of answers of each kind in a core, in this order, and the segment that may follow.

    `sharing`: an opt-out of sharing follows that of sale; `advertising`: one of targeted advertising. `others`
    are consents beyond the disclosed purposes and modes of an agreement, which state nothing here.
    """

    notices: int
    sensitive: int
    child: int
    others: int
    segment: Literal["gpc", "sensitive"] | None = "gpc"
    sharing: bool = False
    advertising: bool = True
    versions: frozenset[int] | None = frozenset((1,))


def _of_agreement(child: int, segment: Literal["gpc", "sensitive"]) -> Layout:
    """The layout whose first number is the version of an agreement (MSPA), which moves no answer."""
    return Layout(notices=5, sensitive=0, child=child, others=1, segment=segment, versions=None)


NAMES: Final = {
    7: "usnat", 8: "usca", 9: "usva", 10: "usco", 11: "usut", 12: "usct", 13: "usfl", 14: "usmt", 15: "usor",
    16: "ustx", 17: "usde", 18: "usia", 19: "usne", 20: "usnh", 21: "usnj", 22: "ustn", 23: "usmn", 24: "usmd",
    25: "usin", 26: "usky", 27: "usri",
}  # fmt: skip
LAYOUTS: Final = {
    8: Layout(notices=3, sensitive=9, child=2, others=4, sharing=True, advertising=False),
    9: Layout(notices=3, sensitive=8, child=1, others=3, segment=None),
    10: Layout(notices=3, sensitive=7, child=1, others=3),
    11: Layout(notices=4, sensitive=8, child=1, others=3, segment=None),
    12: Layout(notices=3, sensitive=8, child=3, others=3),
    13: Layout(notices=3, sensitive=8, child=3, others=4, segment=None),
    14: Layout(notices=3, sensitive=8, child=3, others=4),
    15: Layout(notices=3, sensitive=11, child=3, others=4),
    16: Layout(notices=3, sensitive=8, child=1, others=4),
    17: Layout(notices=3, sensitive=9, child=5, others=4),
    18: Layout(notices=4, sensitive=8, child=1, others=3),
    19: Layout(notices=3, sensitive=8, child=1, others=4),
    20: Layout(notices=3, sensitive=8, child=3, others=4),
    21: Layout(notices=3, sensitive=10, child=5, others=4),
    22: Layout(notices=3, sensitive=8, child=1, others=4),
    23: Layout(notices=3, sensitive=8, child=1, others=4),
    24: _of_agreement(0, "gpc"),
    25: _of_agreement(1, "sensitive"),
    26: _of_agreement(1, "sensitive"),
    27: _of_agreement(1, "sensitive"),
}
_SHORT: Final = Layout(notices=6, sensitive=12, child=2, others=4, sharing=True, versions=frozenset((1, 2)))
_LONG: Final = Layout(notices=6, sensitive=16, child=3, others=4, sharing=True, versions=frozenset((1, 2)))
_LONG_SIZE: Final = 70
"""The bits of a national core in the long layout. Both layouts are in use with both versions."""


class UsSection(Struct, frozen=True):
    """The answers, each a number from 0 (does not apply) to 2; 0 where the section has no such answer.

    `sensitive` and `child` have an answer for each kind of data or age. `gpc` is None without its segment.
    `sound`: the whole section is well-formed.
    """

    version: int
    sale: int
    sharing: int
    advertising: int
    sensitive: tuple[int, ...]
    child: tuple[int, ...]
    gpc: bool | None = None
    sound: bool = True


def decode(section: int, text: str) -> UsSection:
    """The section with this id, from 7 to 27. Raises BadSignal if its core is unreadable or of an unknown version."""
    core, *segments = text.split(".")
    bits = Bits(core)
    layout = (_LONG if bits.size >= _LONG_SIZE else _SHORT) if section == USNAT else LAYOUTS[section]
    version = bits.take(6)
    if layout.versions is None and version == section and segments:
        # The published text puts a header before the core, which starts with the id of the section.
        bits, segments = Bits(segments[0]), segments[1:]
        version = bits.take(6)
    if layout.versions is not None and version not in layout.versions:
        raise BadSignal
    sizes = (layout.notices, 1, layout.sharing, layout.advertising, layout.sensitive, layout.child, layout.others)
    answers, sound = _answers(bits, sum(sizes))
    parts = []
    for size in sizes:
        parts.append(answers[:size])
        answers = answers[size:]
    _, sale, sharing, advertising, sensitive, child, _ = parts
    gpc, more, whole = _segments(layout, segments)
    return UsSection(
        version=version,
        sale=sum(sale),
        sharing=sum(sharing),
        advertising=sum(advertising),
        sensitive=sensitive + more,
        child=child,
        gpc=gpc,
        sound=sound and whole and not bits.take(bits.left),
    )


def statements(section: UsSection) -> dict[Class, bool]:
    """The denials. An opt-out of sale, sharing or targeted advertising denies all classes of OPT_OUT."""
    denials: list[Statements] = []
    if OPTED_OUT in (section.sale, section.sharing, section.advertising) or section.gpc:
        denials.append(OPT_OUT)
    if NO_CONSENT in section.sensitive:
        denials.append({"sensitive": False})
    if any(section.child):
        denials.append(_CHILD)
    return combine(*denials)


def _answers(bits: Bits, count: int) -> tuple[tuple[int, ...], bool]:
    """The next `count` answers, and whether all are there and defined; a missing or undefined one is 0."""
    stated = [bits.take(2) for _ in range(min(count, bits.left // 2))]
    sound = len(stated) == count and _UNDEFINED not in stated
    defined = (0 if each == _UNDEFINED else each for each in stated)
    return (*defined, *[0] * (count - len(stated))), sound


def _segments(layout: Layout, segments: list[str]) -> tuple[bool | None, tuple[int, ...], bool]:
    """The GPC signal and the answers about sensitive data in segments, and whether the segments are as published."""
    gpc: bool | None = None
    sensitive: tuple[int, ...] = ()
    sound = len(segments) <= (layout.segment is not None)
    for each in segments:
        try:
            bits = Bits(each)
            if layout.segment == "sensitive":
                more, whole = _answers(bits, _KINDS)
                sensitive += more
            else:
                whole = bits.take(2) == _GPC
                gpc = (whole and bits.flag()) or gpc or False
            sound = sound and whole and not bits.take(bits.left)
        except BadSignal:
            sound = False
    return gpc, sensitive, sound
