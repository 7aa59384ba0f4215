"""Consent strings read as the IAB's own JavaScript libraries read them, or more strictly for a reason given here.

One process of Node writes thousands of strings with the libraries, damages half of them, and prints how the
libraries read each one. What a reading of the libraries states about classes of purposes is worked out here from the
published meaning of its fields, not by the code under test.

A well-formed string is equal, with three exceptions that are stricter: legitimate and implied consent never grant,
a TC string of an old policy or without the segment of disclosed vendors that TCF 2.3 requires never grants, and the
libraries do not know either rule. Of a damaged string the libraries read whatever bits are left. It never grants
here what it does not grant by those bits, and it denies what an opt-out of the United States in those bits denies.
"""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from identity.planning.consent.signals import gpp, tcf
from identity.values.errors import BadSignal
from identity.values.stamps import Micros
from tests.end_to_end.sdk.conftest import node

TC_STRINGS, GPP_STRINGS, SEED = 700, 350, 14
TCF23 = 1_772_236_800_000
EUROPE = {"ads": {1, 2, 3, 4, 7}, "analytics": {1, 8, 9, 10}, "personalisation": {1, 5, 6, 11}}
CANADA = {"ads": {2, 3, 4, 7}, "analytics": {8, 9, 10}, "personalisation": {5, 6}}
US_PRIVACY = re.compile("1[YN-]{3}")
OPT_OUT = {"ads", "sale_share"}
CHILD = OPT_OUT | {"sensitive"}


class Reading(NamedTuple):
    """The classes that a string grants and denies."""

    grants: set[str]
    denies: set[str]


@pytest.fixture(scope="module")
def strings(node_modules: Path) -> dict[str, list[dict[str, Any]]]:
    """Every string with how the libraries read it, None where they refuse it."""
    command = [str(node()[0]), str(node_modules / "consent_strings.mjs"), str(TC_STRINGS), str(GPP_STRINGS), str(SEED)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def now() -> int:
    """The present time: the libraries date some strings by their own clock."""
    return time.time_ns() // 1000


def reading(stated: dict[Any, bool]) -> Reading:
    """Statements as two sets."""
    return Reading({n for n, granted in stated.items() if granted}, {n for n, granted in stated.items() if not granted})


def of_europe(read: dict[str, Any], text: str) -> Reading:
    """The statements of a TC string by its fields; a segment of disclosed vendors starts with the bits 001."""
    if read["policy"] < 4 or not read["specific"]:
        return Reading(set(), set())
    granted = {name for name, needed in EUROPE.items() if needed <= set(read["consents"])}
    discloses = any("I" <= part[:1] <= "P" for part in text.split(".")[1:])
    return Reading(granted if discloses or read["updated"] < TCF23 else set(), EUROPE.keys() - granted)


def ids(flags: list[bool]) -> set[int]:
    """The numbers of the purposes that are set."""
    return {at for at, flag in enumerate(flags, 1) if flag}


def of_section(section: int, read: dict[str, Any], text: str) -> Reading:
    """The statements of a section of a GPP string by its fields."""
    if section == 2:
        fields = {"policy": read["PolicyVersion"], "specific": read["IsServiceSpecific"], "updated": TCF23}
        return of_europe({**fields, "consents": ids(read["PurposeConsents"])}, text)
    if section == 5:
        express, implied = ids(read["PurposesExpressConsent"]), ids(read["PurposesImpliedConsent"])
        granted = {name for name, needed in CANADA.items() if needed <= express}
        return Reading(granted, {name for name, needed in CANADA.items() if not needed <= express | implied})
    if section == 6:
        return Reading(set(), OPT_OUT if read["OptOutSale"] == "Y" else set())
    denied: set[str] = set()
    opt_outs = [read.get(f"{each}OptOut") for each in ("Sale", "Sharing", "TargetedAdvertising")]
    # Other segments than type 1 are none of GPC, although the libraries read the same bit of them.
    if 1 in opt_outs or (read.get("Gpc") and read.get("GpcSegmentType") == 1 and "." in text):
        denied |= OPT_OUT
    if 1 in read.get("SensitiveDataProcessing", []):
        denied |= {"sensitive"}
    children = read.get("KnownChildSensitiveDataConsents", 0)
    # An answer of 3 is undefined.
    if {1, 2} & set(children if isinstance(children, list) else [children]):
        denied |= CHILD
    return Reading(set(), denied)


def test_every_tc_string_of_the_library_is_read_as_it_says(strings: dict[str, list[dict[str, Any]]]) -> None:
    """The same consents, from the same time."""
    written = [each for each in strings["tcf"] if each["valid"]]
    assert len(written) >= TC_STRINGS
    for each in written:
        decoded = tcf.decode(each["text"], Micros(now()))
        assert reading(dict(tcf.statements(decoded))) == of_europe(each["read"], each["text"]), each
        assert decoded.last_updated == each["read"]["updated"] * 1000
        assert decoded.purposes_consent == set(each["read"]["consents"])


def test_no_damaged_tc_string_grants_what_the_library_does_not_read(strings: dict[str, list[dict[str, Any]]]) -> None:
    """A string that the library refuses grants nothing."""
    compared = 0
    for each in strings["tcf"]:
        if each["valid"]:
            continue
        try:
            stated = reading(dict(tcf.statements(tcf.decode(each["text"], Micros(now())))))
        except BadSignal:
            continue
        expected = of_europe(each["read"], each["text"]) if each["read"] else Reading(set(), set())
        assert stated.grants <= expected.grants, each
        compared += 1
    assert compared > TC_STRINGS // 20


def test_every_gpp_string_of_the_library_is_read_as_it_says(strings: dict[str, list[dict[str, Any]]]) -> None:
    """Section by section, from 2 to 27."""
    seen = set()
    for each in strings["gpp"]:
        if not each["valid"]:
            continue
        decoded = gpp.decode(each["text"], Micros(now()))
        assert not decoded.malformed, each
        assert {str(section.id) for section in decoded.sections} == each["read"].keys()
        for section in decoded.sections:
            assert not section.malformed, (each, section)
            expected = of_section(section.id, each["read"][str(section.id)], section.text)
            assert reading(dict(section.stated)) == expected, (each, section)
            seen.add(section.id)
    assert seen == {2, *range(5, 28)}


def test_a_damaged_gpp_string_grants_no_more_and_opts_out_no_less(strings: dict[str, list[dict[str, Any]]]) -> None:
    """Where the library reads a section, here its opt-outs count too, and no more is granted.

    Two kinds of section are left out, since the library reads more than there is: one of a version without published
    fields, whose bits it reads as if of version 1, and a US Privacy string with other characters than the published.
    """
    compared = 0
    for each in strings["gpp"]:
        if each["valid"]:
            continue
        granted: set[str] = set()
        for section, read in (each["read"] or {}).items():
            if read and section.isdigit():
                granted |= of_section(int(section), read, part_of(each, section)).grants
        try:
            decoded = gpp.decode(each["text"], Micros(now()))
        except BadSignal:
            assert not opt_outs(each), each
            continue
        assert reading(dict(gpp.statements(decoded))).grants <= granted, each
        ours = {section.id: section for section in decoded.sections}
        for id_, denied in opt_outs(each).items():
            assert denied <= reading(dict(ours[id_].stated)).denies, (each, ours[id_])
            compared += 1
    assert compared > GPP_STRINGS // 20


def part_of(string: dict[str, Any], section: str) -> str:
    """The text of a section, in the order of the header."""
    part: str = string["text"].split("~")[list(string["read"]).index(section) + 1]
    return part


def opt_outs(string: dict[str, Any]) -> dict[int, set[str]]:
    """The denials that the library reads in sections of the United States, of versions that are published."""
    found = {}
    for section, read in (string["read"] or {}).items():
        id_ = int(section) if section.isdigit() else 0
        text = part_of(string, section)
        if not read or id_ < 6 or (id_ == 6 and not US_PRIVACY.fullmatch(text.strip())):
            continue
        if 7 <= id_ <= 23 and text[0] not in ("BC" if id_ == 7 else "B"):
            continue
        found[id_] = of_section(id_, read, text).denies
    return found
