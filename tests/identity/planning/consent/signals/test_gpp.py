"""GPP strings and the denials in their sections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.signals import gpp
from identity.planning.consent.signals.us_sections import (
    LAYOUTS,
    USNAT,
    decode,
    statements,
)
from identity.values.errors import BadSignal
from tests.identity.planning.consent.signals.encoding import NOW, encode, granting, header, text_of
from tests.support.consent.us_sections import state, usca, usnat

FULL = encode(granting())
OUT = {"ads": False, "sale_share": False}
CHILD = OUT | {"sensitive": False}
GRANTS = {"ads": True, "analytics": True, "personalisation": True}
ANSWER = st.integers(0, 2)
STATES = sorted(LAYOUTS)


@given(st.sets(st.integers(28, 60)), st.booleans())
def test_a_header_names_sections_by_ids_and_ranges(ids: set[int], ranges: bool) -> None:  # noqa: FBT001
    """Any mix is read, and unknown sections are kept as text and listed by their ids."""
    items: list[tuple[int, int]] = []
    for id_ in sorted(ids):
        if ranges and items and items[-1][1] == id_ - 1:
            items[-1] = (items[-1][0], id_)
        else:
            items.append((id_, id_))
    decoded = gpp.decode("~".join([header(items), *(f"x{id_}" for id_ in sorted(ids))]), NOW)

    assert [each.name for each in decoded.sections] == [str(id_) for id_ in sorted(ids)]
    assert {each.id: each.text for each in decoded.sections} == {id_: f"x{id_}" for id_ in ids}
    assert all(each.invalid and not each.malformed for each in decoded.sections)
    assert gpp.statements(decoded) == {}


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("B", {}), (usnat(3), {}), (usnat(child=3), {}), (usnat() + ".", {}), (usnat() + ".A", {}),
        (usnat() + ".gA", {}), (usnat() + ".QA.QA", {}), (usnat() + ".YB", OUT), (usnat()[:-1], {}),
        (usnat() + "B", {}), (usnat(1, 3), OUT), (usnat(1, child=3), OUT), (usnat(1) + "B", OUT),
        (usnat(1) + ".!", OUT), (usnat(1)[:6], OUT), (usnat(1)[:5], OUT), (usnat(1)[:4], OUT), (usnat(1)[:3], {}),
        (usnat() + ".YA.QA", OUT), (usnat() + ".!.YA", OUT),
    ],
)  # fmt: skip
def test_an_opt_out_counts_although_its_section_is_malformed(text: str, stated: dict[str, bool]) -> None:
    """An undefined answer, a wrong segment, missing or further bits: the section is listed, its denials stand."""
    section = decode(USNAT, text)

    assert (statements(section), section.sound) == (stated, False)


def test_a_segment_that_a_section_does_not_have_is_listed() -> None:
    """Virginia has none for GPC; its opt-out counts nevertheless."""
    section = decode(9, state(9) + ".YA")

    assert (statements(section), section.sound) == (OUT, False)


def test_a_denying_section_beats_a_granting_one() -> None:
    """Whichever section denies."""
    ids = header([(2, 2), (6, 9)])
    parts = [FULL, "1YNN", usnat(2, 2, 2), usca(2, 2), state(9, 2, 2)]
    assert gpp.statements(gpp.decode("~".join([ids, *parts]), NOW)) == GRANTS
    for at, worse in ((1, "1YYN"), (1, "1yyn"), (2, usnat(1)), (3, usca(1)), (4, state(9, 1))):
        changed = [*parts[:at], worse, *parts[at + 1 :]]
        assert gpp.statements(gpp.decode("~".join([ids, *changed]), NOW)) == GRANTS | OUT


SOUND = {2: FULL, 6: "1YYN", 7: usnat(1), 8: usca(1), 9: state(9, 1), 27: state(27, 1)}


@pytest.mark.parametrize("bad", SOUND)
@pytest.mark.parametrize("text", ["", "x", "!", "\u00c5", FULL[:40], "BAAAAAAAAAAAAAAB", ".", "1YXN"])
def test_a_bad_section_never_discards_an_opt_out_beside_it(bad: int, text: str) -> None:
    """Every other section denies as before, the bad one is listed, and the string grants nothing."""
    ids = header([(id_, id_) for id_ in SOUND])
    decoded = gpp.decode("~".join([ids, *(SOUND | {bad: text}).values()]), NOW)

    for section in decoded.sections:
        assert section.invalid == section.malformed == (section.id == bad)
        if section.id != bad:
            assert section.stated == ({} if section.id == 2 else OUT)


def test_a_section_of_no_known_id_changes_nothing_beside_it() -> None:
    """Only that section is listed."""
    decoded = gpp.decode(f"{header([(2, 2), (40, 40)])}~{FULL}~whatever", NOW)

    assert gpp.statements(decoded) == GRANTS
    assert [each.name for each in decoded.sections if each.invalid] == ["40"]


def test_a_string_that_lacks_sections_grants_nothing_and_keeps_its_opt_outs() -> None:
    """Cut behind any section, or with one too many."""
    ids, parts = header([(2, 2), (6, 7)]), [FULL, "1YYN", usnat(2)]
    for kept in range(len(parts)):
        decoded = gpp.decode("~".join([ids, *parts[:kept]]), NOW)
        assert gpp.statements(decoded) == (OUT if kept > 1 else {})
        assert decoded.malformed
        assert len(decoded.sections) == len(parts)
    assert gpp.statements(gpp.decode("~".join([ids, *parts, "x"]), NOW)) == OUT


def test_a_tc_string_alone_is_read_as_its_section() -> None:
    """The two kinds of string begin with different letters."""
    decoded = gpp.decode(FULL, NOW)

    assert (gpp.statements(decoded), [each.name for each in decoded.sections]) == (GRANTS, ["tcfeuv2"])


@pytest.mark.parametrize("blank", [" ", "\n", "\t "])
def test_blanks_around_a_string_do_not_matter(blank: str) -> None:
    """As a header or a form may add them."""
    assert gpp.statements(gpp.decode(f"{blank}{header([(6, 6)])}~1YYN{blank}", NOW)) == OUT


@given(st.sampled_from(STATES), st.data())
def test_a_change_to_a_section_never_makes_a_string_grant_more(section: int, data: st.DataObject) -> None:
    """Text cut, put in or taken out of one section beside a grant; no string raises another error."""
    text = state(section, 1)
    at, end = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))
    changed = text[:at] + data.draw(st.text("AQYx.!~", max_size=3)) + text[end:]
    ids = header([(2, 2), (section, section)])
    whole = gpp.statements(gpp.decode(f"{ids}~{FULL}~{text}", NOW))
    try:
        stated = gpp.statements(gpp.decode(f"{ids}~{FULL}~{changed}", NOW))
    except BadSignal:
        return

    sound = not any(each.malformed for each in gpp.decode(f"{ids}~{FULL}~{changed}", NOW).sections)
    assert sound or {name for name, granted in stated.items() if granted} <= {n for n, g in whole.items() if g}


def test_the_layouts_differ_only_where_the_framework_says_so() -> None:
    """Every section from 8 to 27 has one."""
    assert sorted(LAYOUTS) == list(range(8, 28))
    assert all(each.notices >= 3 for each in LAYOUTS.values())


ONE = header([(2, 2)])


@pytest.mark.parametrize(
    "text",
    [
        "", "~", "~~", "D", "DBA", f"{header([(2, 2)], kind=2)}~{FULL}", f"{header([(2, 2)], version=2)}~{FULL}",
        f"{ONE}.A~{FULL}", f"{header([(2, 60_000)])}~{FULL}",
        f"{text_of('000011000001' + '0' * 11 + '1' + '0' * 90)}~{FULL}", f"{text_of('000011000001' + '1' * 12)}~{FULL}",
        f"{ONE}~{FULL}" + "~" * 9000, "D" * 1_000_000, f"{ONE}~{FULL}".encode(), None, 3, [], {}, object(),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_a_gpp_string_without_a_header_is_refused_as_a_whole(text: object) -> None:
    """A wrong kind, version or code, or a value that is no string."""
    with pytest.raises(BadSignal):
        gpp.decode(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "DBAA~", f"DBAA~{FULL}", ONE, f"{ONE}~", f"{ONE}~{FULL}~", f"{ONE}~{FULL}~1YNN",
        f"{header([(2, 2), (6, 6)])}~{FULL}", f"{header([(2, 2), (6, 6)])}~1YNN~{FULL}", f"{ONE}~{FULL[:-9]}",
        f"{ONE}~{usnat()}", f"{ONE}~{FULL}!",
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_a_gpp_string_with_wrong_sections_grants_nothing_and_is_listed(text: str) -> None:
    """A wrong count, a wrong order, or a bad section."""
    decoded = gpp.decode(text, NOW)

    assert gpp.statements(decoded) == {}
    assert decoded.malformed or any(each.malformed for each in decoded.sections)
