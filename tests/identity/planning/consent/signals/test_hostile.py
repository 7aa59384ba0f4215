"""Hostile strings: a malformed one never grants, and none costs more than its length."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from identity.planning.consent.signals import gpp, tcf
from identity.planning.consent.signals.bits import Bits
from identity.planning.consent.signals.vendors import Vendors
from identity.values.errors import BadSignal
from identity.values.stamps import Micros
from tests.identity.planning.consent.signals.encoding import (
    ALPHABET,
    NOW,
    core,
    encode,
    granting,
    header,
    number,
    text_of,
)
from tests.identity.planning.consent.signals.wellformed import Malformed, consented, discloses, past_gpp
from tests.support.consent.us_sections import state, usca, usnat

KIND = tcf.Restriction(2, tcf.NOT_ALLOWED, Vendors(ranges=((1, 2), (40, 40))))
SHOWN = Vendors(12, 0b101)
FULL = [
    encode(granting()),
    encode(granting(policy=5, disclosed=SHOWN)),
    encode(granting(vendor_consent=Vendors(30, 0x2FFF_FFF1), restrictions=(KIND, KIND))),
    encode(granting(vendor_li=Vendors(9, 0, ((1, 3), (5, 9)))), purposes_li="1" * 24)
    + "." + text_of("011" + "1" * 48 + number(2, 6) + "1111"),
]  # fmt: skip
SECTIONS = [
    f"{header([(2, 2)])}~{FULL[0]}",
    f"{header([(2, 2), (6, 8)])}~{FULL[1]}~1YNN~{usnat(2, 2, 2)}.QA~{usca()}",
    f"{header([(2, 2), (7, 7), (12, 12), (40, 40)])}~{FULL[2]}~{usnat(wide=True)}~{state(12)}.QA~x",
]
ANYTHING = ALPHABET + "~.=!\u00c5\0"
STRINGS = 100_000


def spoilt(seeds: list[str], count: int, seed: int) -> Iterator[str]:
    """Well-formed strings with one or a few changes, and some random text."""
    chance = random.Random(seed)
    changes: list[Callable[[str, int], str]] = [
        lambda text, at: text[:at],
        lambda text, at: text[:at] + chance.choice(ANYTHING) + text[at:],
        lambda text, at: text[:at] + text[at + 1 :],
        lambda text, at: text[:at] + chance.choice(ALPHABET) + text[at + 1 :],
        lambda text, at: text[:at] + flipped(text[at : at + 1], chance.randrange(6)) + text[at + 1 :],
        lambda text, at: text + text[:at],
        lambda text, at: text[:at] + chance.choice(seeds)[at:],
        lambda text, at: text[:at] + "A" * chance.randrange(9) + text[at:],
    ]
    for number_ in range(count):
        if number_ % 20 == 0:
            yield "CD"[number_ % 40 // 20] + "".join(chance.choices(ANYTHING, k=chance.randrange(200)))
            continue
        text = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            text = chance.choice(changes)(text, chance.randrange(len(text) + 1))
        yield text


def flipped(character: str, bit: int) -> str:
    """A base64url character with one of its six bits flipped; other characters stay."""
    return ALPHABET[ALPHABET.index(character) ^ 1 << bit] if character and character in ALPHABET else character


def refused(decode: Callable[[object, Micros], object], text: str) -> bool:
    """True if the decoder refuses a string; fails the test otherwise."""
    try:
        decode(text, NOW)
    except BadSignal:
        return True
    pytest.fail(f"read: {text!r}")


def check_tcf(text: str) -> bool:
    """Compare the decoder with the second opinion on a TC string; returns whether the string is well-formed."""
    try:
        expected = consented(text)
    except Malformed:
        return not refused(tcf.decode, text)
    decoded = tcf.decode(text, NOW)
    assert decoded.purposes_consent == expected
    for name, granted in tcf.statements(decoded).items():
        assert granted == (tcf.PURPOSES[name] <= expected)
        assert discloses(text) or not granted
    return True


def check_gpp(text: str) -> bool:
    """The same for a GPP string, which is read by sections: a malformed one is listed and grants nothing."""
    try:
        found = past_gpp(text)
        expected = consented(found[2]) if 2 in found else set()
    except Malformed:
        check_malformed(text)
        return False
    decoded = gpp.decode(text, NOW)
    granted = {name for name, granted in gpp.statements(decoded).items() if granted}
    assert granted <= {name for name, needed in tcf.PURPOSES.items() if needed <= expected}
    assert not decoded.malformed
    assert not any(each.malformed for each in decoded.sections)
    return True


def check_malformed(text: str) -> None:
    """Check that a malformed GPP string, not the TC string alone that may stand in its place, grants nothing."""
    with suppress(BadSignal):
        decoded = gpp.decode(text, NOW)
        # The second opinion knows neither blanks around a string nor the sections of newer forms.
        alone = "~" not in text and text.startswith("C")
        newer = any(each.id in (5, 24, 25, 26, 27) for each in decoded.sections)
        if text == text.strip() and not alone and not newer:
            assert decoded.malformed or any(each.malformed for each in decoded.sections)
            assert True not in gpp.statements(decoded).values()


@pytest.mark.parametrize("count", [STRINGS // 5, pytest.param(STRINGS, marks=pytest.mark.soak)])
@pytest.mark.parametrize(("seeds", "check"), [(FULL, check_tcf), (SECTIONS, check_gpp)])
def test_only_well_formed_strings_are_read(seeds: list[str], check: Callable[[str], bool], count: int) -> None:
    """Of 20,000 or 100,000 changed strings, exactly the well-formed are read, and they grant what their bits grant."""
    assert all(map(check, seeds))
    sound = sum(check(text) for text in spoilt(seeds, count // 2, seed=91))

    assert 0.01 * count < sound < 0.4 * count


@pytest.mark.parametrize(("seeds", "check"), [(FULL, check_tcf), (SECTIONS, check_gpp)])
def test_a_string_with_a_cut_or_a_flipped_bit_is_refused_or_read_by_its_bits(
    seeds: list[str], check: Callable[[str], bool]
) -> None:
    """At every place, for every single bit."""
    for text in seeds:
        for at in range(len(text)):
            check(text[:at])
            for bit in range(6):
                check(text[:at] + flipped(text[at], bit) + text[at + 1 :])


def test_a_cut_string_never_allows_more_vendors() -> None:
    """Under the policy that requires disclosed vendors."""
    whole = tcf.decode(FULL[1], NOW)
    allowed = {vendor for vendor in range(200) if tcf.allows(whole, {1}, vendor)}
    assert allowed == {10, 12}
    for at in range(len(FULL[1])):
        try:
            cut = tcf.decode(FULL[1][:at], NOW)
        except BadSignal:
            continue
        assert {vendor for vendor in range(200) if tcf.allows(cut, {1}, vendor)} <= allowed


def bombs() -> Iterator[str]:
    """Strings that claim more than they hold, and strings of the greatest size."""
    top = number(65_535, 16)
    wide, narrow = "1" + number(1, 16) + top, "0" + number(65_535, 16)
    for entries in (4095, 1400, 730, 700):
        for entry in (wide, narrow):
            bits = core(granting(), vendor_consent=top + "1" + number(entries, 12) + entry * entries)
            yield text_of(bits)[: tcf.LONGEST]
            yield text_of(bits)[:200]
    restriction = number(2, 6) + "00" + number(0, 12)
    yield text_of(core(granting(), restrictions=number(1100, 12) + restriction * 1100))
    yield text_of(core(granting(), vendor_consent=top + "0" + "1" * 20_000))
    yield f"{encode(granting())}." + ".".join(["IAAA"] * 700)
    yield "." * tcf.LONGEST
    yield "C" * tcf.LONGEST


def test_reads_are_bounded_by_the_length_of_a_string(monkeypatch: pytest.MonkeyPatch) -> None:
    """An impossible claim is refused after far fewer reads."""
    reads = 0
    take = Bits.take

    def counting(self: Bits, count: int) -> int:
        nonlocal reads
        reads += 1
        return take(self, count)

    monkeypatch.setattr(Bits, "take", counting)
    sound = 0
    for text in bombs():
        reads = 0
        with suppress(BadSignal):
            tcf.decode(text, NOW)
            sound += 1
        assert reads <= len(text)
    assert sound >= 3

    reads = 0
    with pytest.raises(BadSignal):
        tcf.decode(text_of(core(granting(), vendor_consent=number(65_535, 16) + "1" + number(4095, 12))), NOW)
    assert reads < 30
    for ids in ([(2, 70_000)], [(id_, id_) for id_ in range(1, 3000)]):
        reads = 0
        with pytest.raises(BadSignal):
            gpp.decode(f"{header(ids)}~{FULL[0]}", NOW)
        assert reads < 4 * gpp.MOST_SECTIONS


@pytest.mark.soak
def test_every_string_is_read_within_five_milliseconds() -> None:
    """Changed strings and bombs included."""
    for decode, seeds in ((tcf.decode, FULL), (gpp.decode, SECTIONS)):
        for text in [*bombs(), *spoilt(seeds, STRINGS // 2, seed=92)]:
            slowest = min(spent(decode, text) for _ in range(3))
            assert slowest < 0.005


def spent(decode: Callable[[object, Micros], object], text: str) -> float:
    """Seconds of one decoding."""
    start = time.perf_counter()
    with suppress(BadSignal):
        decode(text, NOW)
    return time.perf_counter() - start
