"""A second opinion on consent strings: whether one is well-formed, and the purposes that it consents to.

The code works on text of `0` and `1`, shares nothing with the decoders, and ignores cost.
"""

import re

from identity.planning.consent.signals.tcf import DISCLOSING_FROM, FIRST
from identity.values.calls import DAY
from tests.identity.planning.consent.signals.encoding import DECISECOND, NOW, bits_of

NARROW = re.compile("0000(01|10)(00|01|10){27}0*")
WIDE = re.compile("0000(01|10)(00|01|10){32}0*")
ANSWERS = {
    8: 20, 9: 17, 10: 16, 11: 18, 12: 19, 13: 20, 14: 20, 15: 23, 16: 18, 17: 23, 18: 18, 19: 18, 20: 20, 21: 24,
    22: 18, 23: 18,
}  # fmt: skip
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


def discloses(text: str) -> bool:
    """Whether a well-formed TC string lists the vendors that were disclosed, or is so old that it need not."""
    if value(bits_of(text.partition(".")[0]), 42, 36) * DECISECOND < DISCLOSING_FROM:
        return True
    return any(bits_of(part).startswith("001") for part in text.split(".")[1:])


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
    """The sections of a GPP string, whose TCF section `consented` checks. Raises Malformed.

    The published headers of the newest sections are not checked here; no seed has one of these sections.
    """
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
    require(len(ids) == len(parts))
    found = dict(zip(ids, parts, strict=True))
    require(re.fullmatch("1[YNyn-]{3}", found.get(6, "1---")))
    require(not found.keys() & {5, 24, 25, 26, 27})
    for id_ in found.keys() & {7, *ANSWERS}:
        require(TCF.fullmatch(found[id_]))
        written, *rest = map(bits_of, found[id_].split("."))
        require(len(rest) < 2 - (id_ in (9, 11, 13)) and all(map(GPC.fullmatch, rest)))
        if id_ == 7:
            require((WIDE if len(written) >= 70 else NARROW).fullmatch(written))
        else:
            require(re.fullmatch("000001" + "(00|01|10)" * ANSWERS[id_] + "0*", written))
    return found
