"""A second opinion on consent strings: whether one is well-formed, and the purposes that it consents to.

The code works on text of `0` and `1`, shares nothing with the decoders, and ignores cost.
"""

import re

from identity.planning.consent.signals.tcf import FIRST
from identity.values.calls import DAY
from tests.identity.planning.consent.signals.encoding import DECISECOND, NOW, bits_of

NARROW = re.compile("000001(00|01|10){27}0*")
WIDE = re.compile("0000(01|10)(00|01|10){32}0*")
CALIFORNIA = re.compile("000001(00|01|10){20}0*")
GPC = re.compile("01[01]0*")
TCF = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
GPP = re.compile(r"[A-Za-z0-9_-]+(~[A-Za-z0-9_.-]+)*")
PUBLISHER = 51
WEIGHTS = [1, 2]
while len(WEIGHTS) < 23:
    WEIGHTS.append(WEIGHTS[-2] + WEIGHTS[-1])


class Malformed(Exception):
    """The string is not well-formed."""


def require(claim: object) -> None:
    """Raise Malformed unless the claim holds."""
    if not claim:
        raise Malformed


def value(bits: str, at: int, size: int) -> int:
    """A number of `size` bits."""
    require(at + size <= len(bits))
    return int(bits[at : at + size] or "0", 2)


def past_ranges(bits: str, at: int, top: int) -> int:
    """Where a list of ranges ends."""
    count = value(bits, at, 12)
    at += 12
    for _ in range(count):
        size = 33 if value(bits, at, 1) else 17
        first, last = value(bits, at + 1, 16), value(bits, at + size - 16, 16)
        require(1 <= first <= last <= top)
        at += size
    return at


def past_vendors(bits: str, at: int) -> int:
    """Where a set of vendors ends."""
    top = value(bits, at, 16)
    if value(bits, at + 16, 1):
        return past_ranges(bits, at + 17, top)
    require(at + 17 + top <= len(bits))
    return at + 17 + top


def past_core(bits: str) -> int:
    """Where a core ends."""
    created, updated = value(bits, 6, 36) * DECISECOND, value(bits, 42, 36) * DECISECOND
    require(value(bits, 0, 6) == 2 and FIRST <= created <= updated <= NOW + DAY)
    require(max(value(bits, at, 6) for at in (108, 114, 201, 207)) < 26)
    at = past_vendors(bits, past_vendors(bits, 213))
    count = value(bits, at, 12)
    at += 12
    for _ in range(count):
        require(value(bits, at, 6) and value(bits, at + 6, 2) < 3)
        at = past_ranges(bits, at + 8, 65_535)
    return at


def past_segment(bits: str) -> int:
    """Where one of the other segments ends."""
    kind = value(bits, 0, 3)
    require(kind in (1, 2, 3))
    return past_vendors(bits, 3) if kind < 3 else PUBLISHER + 6 + 2 * value(bits, PUBLISHER, 6)


def consented(text: str) -> set[int]:
    """The purposes that a TC string consents to. Raises Malformed."""
    require(len(text) <= 4096 and TCF.fullmatch(text))
    written = [bits_of(part) for part in text.split(".")]
    ends = [past_core(written[0]), *map(past_segment, written[1:])]
    require(len({bits[:3] for bits in written}) == len(written))
    require(all(end <= len(bits) and "1" not in bits[end:] for bits, end in zip(written, ends, strict=True)))
    return {purpose for purpose in range(1, 25) if written[0][151 + purpose] == "1"}


def code(bits: str, at: int) -> tuple[int, int]:
    """A Fibonacci code and where it ends."""
    end = bits.find("11", at) + 2
    require(1 < end <= at + 24)
    return sum(weight for weight, bit in zip(WEIGHTS, bits[at : end - 1], strict=False) if bit == "1"), end


def past_gpp(text: str) -> dict[int, str]:
    """The sections of a GPP string, whose TCF section `consented` checks. Raises Malformed."""
    require(len(text) <= 8192 and GPP.fullmatch(text))
    header, *parts = text.split("~")
    bits = bits_of(header)
    require(value(bits, 0, 12) == 0b000011000001)
    at, last, ids = 24, 0, list[int]()
    for _ in range(value(bits, 12, 12)):
        wide = value(bits, at, 1)
        step, at = code(bits, at + 1)
        length, at = code(bits, at) if wide else (0, at)
        ids += range(last + step, last + step + length + 1)
        last = ids[-1]
    require("1" not in bits[at:] and len(ids) == len(parts))
    found = dict(zip(ids, parts, strict=True))
    require(re.fullmatch("1[YN-]{3}", found.get(6, "1---")))
    for id_, known in ((7, None), (8, CALIFORNIA)):
        if id_ in found:
            require(TCF.fullmatch(found[id_]))
            written, *rest = map(bits_of, found[id_].split("."))
            require(len(rest) < 2 and all(map(GPC.fullmatch, rest)))
            layout = known or (WIDE if len(written) >= 70 or written.startswith("000010") else NARROW)
            require(layout.fullmatch(written))
    return found
