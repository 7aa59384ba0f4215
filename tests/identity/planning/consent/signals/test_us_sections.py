"""The US sections of a GPP string: denials of every state, and never a grant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.signals import gpp
from identity.planning.consent.signals.us_sections import (
    LAYOUTS,
    NAMES,
    USCA,
    USNAT,
    UsSection,
    decode,
    statements,
)
from identity.values.errors import BadSignal
from tests.identity.planning.consent.signals.encoding import NOW, header, number, text_of
from tests.support.consent.us_sections import state, two, usca, usnat

OUT = {"ads": False, "sale_share": False}
CHILD = OUT | {"sensitive": False}
ANSWER = st.integers(0, 2)
STATES = sorted(LAYOUTS)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (usnat(), {}), (usnat(2, 2, 2), {}), ("BVQqAAAACg", {}), (usnat(sensitive=2), {}), (usnat(1), OUT),
        (usnat(2, 1), OUT), (usnat(2, 2, 1), OUT), (usnat(sensitive=1), {"sensitive": False}),
        (usnat(sensitive=1, wide=True), {"sensitive": False}), (usnat(child=1), CHILD), (usnat(child=2), CHILD),
        (usnat(child=2, wide=True), CHILD), (usnat() + ".QA", {}), (usnat() + ".Q", {}), (usnat() + ".YA", OUT),
        (usnat(2, 2, 2) + ".Y", OUT), (usnat(version=2), {}), (usnat(1, version=2), OUT),
        (usnat(child=1, version=2), CHILD), (usnat(sensitive=1, version=2, wide=True), {"sensitive": False}),
        ("CAAAAAAAAA.Q", {}), ("CVQVAAAAAg.YA", OUT), ("CVQVAAAAAg", OUT), ("CAAAAAAAAQA", {}), ("CAAAAAABEQA", CHILD),
    ],
)  # fmt: skip
def test_a_national_section_denies_or_states_nothing(text: str, stated: dict[str, bool]) -> None:
    """An opt-out, a GPC signal and a known child deny; other answers state nothing. Both versions have both layouts."""
    section = decode(USNAT, text)

    assert (statements(section), section.sound) == (stated, True)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (usca(), {}), (usca(2, 2), {}), (usca(1), OUT), (usca(0, 1), OUT), (usca(sensitive=1), {"sensitive": False}),
        (usca(child=1), CHILD), (usca(child=2), CHILD), (usca() + ".YA", OUT), (usca() + ".QA", {}),
    ],
)  # fmt: skip
def test_a_californian_section_denies_or_states_nothing(text: str, stated: dict[str, bool]) -> None:
    """As a national section does."""
    section = decode(USCA, text)

    assert (statements(section), section.sound) == (stated, True)


@pytest.mark.parametrize("section", STATES)
def test_every_state_can_opt_out(section: int) -> None:
    """Of sale, of targeted advertising or of sharing, and by each other answer that its layout has."""
    layout = LAYOUTS[section]
    expected: list[tuple[str, dict[str, bool]]] = [
        (state(section), {}), (state(section, 2, 2), {}), (state(section, 1), OUT), (state(section, 0, 1), OUT),
    ]  # fmt: skip
    if layout.sensitive:
        expected += [(state(section, 0, 0, 1), {"sensitive": False}), (state(section, 0, 0, 2), {})]
    if layout.child:
        expected += [(state(section, 0, 0, 0, 1), CHILD), (state(section, 0, 0, 0, 2), CHILD)]
    if layout.segment == "gpc":
        expected += [(state(section) + ".YA", OUT), (state(section) + ".QA", {})]
    if layout.segment == "sensitive":
        sensitive = text_of(two([0, 2, 0, 0, 0, 0, 0, 1]))
        expected += [(f"{state(section)}.{sensitive}", {"sensitive": False})]

    for text, stated in expected:
        decoded = decode(section, text)
        assert (statements(decoded), decoded.sound) == (stated, True)
        found = gpp.decode(f"{header([(section, section)])}~{text}", NOW)
        assert (gpp.statements(found), found.sections[0].name) == (stated, NAMES[section])


@pytest.mark.parametrize("section", [each for each in STATES if LAYOUTS[each].versions is None])
def test_a_section_with_the_published_header_before_its_core_is_read(section: int) -> None:
    """The header starts with the id of the section."""
    head = text_of(number(section, 6) + number(1, 6) + number(0, 12))

    assert statements(decode(section, f"{head}.{state(section, 1)}")) == OUT
    assert statements(decode(section, f"{head}.{state(section)}")) == {}


@given(st.lists(ANSWER, min_size=9, max_size=9), st.lists(ANSWER, max_size=16), st.lists(ANSWER, max_size=3))
def test_a_us_section_never_grants(opt: list[int], sensitive: list[int], child: list[int]) -> None:
    """Whatever its answers."""
    section = UsSection(
        version=1,
        sale=opt[0],
        sharing=opt[1],
        advertising=opt[2],
        sensitive=tuple(sensitive),
        child=tuple(child),
        gpc=bool(opt[3]),
    )

    assert True not in statements(section).values()


@pytest.mark.parametrize("text", ["", "A", text_of("000000" + "0" * 54), text_of("000011" + "0" * 64), "!", ".QA"])
def test_a_national_section_of_no_known_version_is_refused(text: str) -> None:
    """Or without a core."""
    with pytest.raises(BadSignal):
        decode(USNAT, text)
