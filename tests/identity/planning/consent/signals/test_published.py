"""Strings published in the specifications and reference libraries of the IAB, with their published meaning."""

from datetime import datetime
from typing import Any

import pytest

from identity.planning.consent.signals import gpp, tcf
from identity.planning.consent.signals.us_sections import USCA, USNAT, decode
from identity.planning.consent.signals.vendors import Vendors
from identity.values.calls import MICRO
from tests.identity.planning.consent.signals.encoding import NOW

TEN = set(range(1, 11))
LARGE = (
    "CPi8wgAPi8wgAAOACBENCuCoAP_AAEfAACiQJHNd_H__bX9n-f7_6ft0eY1f9_r37uQzDhfNk-8F3L_W_LwX_2E7NF36tq4KmR4ku1LBIUNtHM"
    "nUDUmxaokVrzHsak2cpzNKJ_BkknsZe2dYGF9vm5tj-QKZ7_5_d3f52T_9_9v-39z33913v3d93-_13LjdV5_9H_v9fR_b8_Kf9_5-_4v8_____"
    "3_e______8AEEggCTDVuIAuxLHAm0DCKBECMKwkKoFABBQDC0QGADg4KdlYBPrCBAAgFAEYEQIcAUYEAgAAAgCQiACQIsEAAAIgEAAIAEQiEABA"
    "wCCgAsDAIAAQDQMUQoABAkIMiAiKUwICIEggJbKhBKC6Q0wgCrLACgkRsFAAiAAAUgACAsHAMESAlYsECTFG-QAjBCgFEqFaAGGgAwABBI4RABg"
    "ACCRwqADAAEEjgA"
)
SHOWN = "IBAgAAAgAIAwgAgAAAAEAAAACA.QAagAQAgAIAwgA"
TCF: dict[str, dict[str, Any]] = {
    "COtybn4PA_zT4KjACBENAPCIAEBAAECAAIAAAAAAAAAA": {
        "created": "2020-01-26T17:01:00+00:00", "last_updated": "2021-02-02T17:01:00+00:00",
        "cmp_id": 675, "cmp_version": 2, "screen": 1, "vendor_list": 15, "policy": 2, "language": "EN",
        "country": "AA", "service_specific": False, "purpose_one_hidden": True, "non_standard_texts": False,
        "special_features": {1}, "purposes_consent": {2, 10}, "purposes_li": {2, 9},
    },
    f"COrEAV4OrXx94ACABBENAHCIAD-AAAAAAACAAxAAAAgAIAwgAgAAAAEAgQAAAAAEAYQAQAAAACAAAABAAA.{SHOWN}": {
        "purposes_consent": {3, 4, 5, 6, 7, 8, 9}, "vendor_consent": {23, 37, 47, 48, 53, 65, 98},
        "vendor_li": {37, 47, 48, 53, 65, 98, 129}, "disclosed": {23, 37, 47, 48, 53, 65, 98, 129},
    },
    "COv__-wOv__-wC2AAAENAPCgAAAAAAAAAAAAA_wAQA_gEBABAEAAAA": {"vendor_li": {128}},
    "COwBOpCOwBOpCLqAAAENAPCAAAAAAAAAAAAAFfwAYFfAV-BVkAGBVYFWAAA": {"vendor_consent": {702, 703}},
    "COwBOpCOwBOpCLqAAAENAPCAAAAAAAAAAAAAFfwAQFfgUbABAUaAAA": {"vendor_consent": {703}},
    "COwxsONOwxsONKpAAAENAdCAAMAAAAAAAAAAAAAAAAAA": {"purposes_consent": {1, 2}},
    "CPSG_8APSG_8AAAAAAENAACgAAAAAAAAAAAAAAAAAAAA.YAAAAAAAAAAA": {
        "created": "2022-01-01T00:00:00+00:00", "last_updated": "2022-01-01T00:00:00+00:00", "cmp_id": 0,
        "language": "EN", "policy": 2, "service_specific": True, "purposes_consent": set(), "vendor_consent": set(),
    },
    "COv_eg6Ov_eg6AOADBENAaCgAP_AAH_AACiQAVEUQQoAIQAqIoghAAQgAA.YAAAAAAAAAAAAAAAAAA": {
        "cmp_id": 14, "cmp_version": 3, "screen": 1, "vendor_list": 26, "country": "US", "special_features": set(),
        "purposes_consent": TEN, "purposes_li": {2, 7, 8, 9, 10},
        "vendor_consent": {2, 6, 8, 12, 18, 23, 25, 37, 42}, "vendor_li": {2, 6, 8, 12, 18, 23, 37, 42},
    },
    LARGE: {
        "cmp_id": 14, "cmp_version": 2, "vendor_list": 174, "special_features": {1}, "purposes_consent": TEN,
        "country": "US", "vendor_consent": 772, "vendor_li": 280,
    },
}  # fmt: skip


def shown(value: object, expected: object) -> object:
    """A decoded value in its published form: a set, a count, or a time."""
    if isinstance(value, Vendors):
        held = {vendor for vendor in range(65_536) if vendor in value}
        return len(held) if isinstance(expected, int) else held
    if isinstance(expected, str) and isinstance(value, int):
        return int(datetime.fromisoformat(expected).timestamp()) * MICRO == value and expected
    return set(value) if isinstance(value, frozenset) else value


@pytest.mark.parametrize("text", TCF)
def test_published_tc_strings_are_read_as_published(text: str) -> None:
    """Except legitimate interest in purposes 3 to 6, which the framework dropped later."""
    decoded = tcf.decode(text, NOW)

    assert {name: shown(getattr(decoded, name), expected) for name, expected in TCF[text].items()} == TCF[text]


SPECIFIC = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
ALL_SECTIONS = (
    "DBACOdM~CPSG_8APSG_8AAAAAAENAACAAAAAAAAAAAAAAAAAAAAA.QAAA.IAAA~BPSG_8APSG_8AAAAAAENAACAAAAAAAAAAAAAAAAAAAA.YAAAA"
    "AAAAAA~1---~BAAAAAAAAABA.QA~BAAAAABA.QA~BAAAABA~BAAAAEA.QA~BAAAAAQA~BAAAAAEA.QA~BAAAAABA~BAAAAABA.QA~BAAAAAABAA."
    "QA~BAAAAAQA.QA~BAAAAAABAA.QA~BAAAAAQA.QA~BAAAAAQA.QA~BAAAAABA.QA~BAAAAAAAQA.QA~BAAAAAQA.QA"
)


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("DBAA", ()),
        ("DBABTA~1YNN", (6,)),
        (f"DBABM~{SPECIFIC}", (2,)),
        (f"DBABMA~{SPECIFIC}", (2,)),
        (f"DBACNY~{SPECIFIC}~1YNN", (2, 6)),
        (f"DBACNYA~{SPECIFIC}~1YNN", (2, 6)),
        (f"DBABjw~{SPECIFIC}~1YNN", (5, 6)),
        (ALL_SECTIONS, (2, *range(5, 23))),
    ],
)
def test_published_gpp_strings_are_read_as_published(text: str, sections: tuple[int, ...]) -> None:
    """The sections match, none opts out, and only a string of TCF Europe as Canada's is malformed."""
    decoded = gpp.decode(text, NOW)

    assert tuple(each.id for each in decoded.sections) == sections
    assert [each.id for each in decoded.sections if each.malformed] == ([5] if text.startswith("DBABjw") else [])
    assert not any(each.stated for each in decoded.sections if each.opt_out)


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("BVVVkkkkkpFY.YA", ((1, 1, 1), (2, 1, 0) * 5 + (2,), (2, 1, 0), True)),
        ("BVVVkkkkkpFY", ((1, 1, 1), (2, 1, 0) * 5 + (2,), (2, 1, 0), None)),
        ("BVVVkkkklWA.YA", ((1, 1, 1), (2, 1, 0) * 4, (2, 1), True)),
        ("BAAAAAAAAABA.QA", ((0, 0, 0), (0,) * 16, (0, 0, 0), False)),
    ],
)
def test_published_national_sections_are_read_as_published(text: str, published: tuple[object, ...]) -> None:
    """In either layout."""
    section = decode(USNAT, text)

    assert ((section.sale, section.sharing, section.advertising), section.sensitive) == published[:2]
    assert (section.child, section.gpc) == published[2:]


def test_a_published_californian_section_is_read_as_published() -> None:
    """Answers, children and GPC."""
    section = decode(USCA, "BVWSSSVY.YA")

    assert (section.sale, section.sharing, section.sensitive) == (1, 1, (2, 1, 0) * 3)
    assert (section.child, section.gpc) == ((2, 1), True)
