"""GPP strings and the denials in their sections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.signals import gpp
from identity.planning.consent.signals.us_sections import UsSection, decode_usca, decode_usnat, statements
from identity.values.errors import BadSignal
from tests.identity.planning.consent.signals.encoding import NOW, encode, granting, header, text_of
from tests.support.consent.us_sections import usca, usnat

FULL = encode(granting())
OUT = {"ads": False, "sale_share": False}
CHILD = OUT | {"sensitive": False}
GRANTS = {"ads": True, "analytics": True, "personalisation": True}
ANSWER = st.integers(0, 2)


@given(st.sets(st.integers(9, 60)), st.booleans())
def test_a_header_names_sections_by_ids_and_ranges(ids: set[int], ranges: bool) -> None:  # noqa: FBT001
    """Any mix is read, and unknown sections are kept as text."""
    items: list[tuple[int, int]] = []
    for id_ in sorted(ids):
        if ranges and items and items[-1][1] == id_ - 1:
            items[-1] = (items[-1][0], id_)
        else:
            items.append((id_, id_))
    decoded = gpp.decode("~".join([header(items), *(f"x{id_}" for id_ in sorted(ids))]), NOW)

    assert decoded.sections == tuple(sorted(ids))
    assert decoded.others == {id_: f"x{id_}" for id_ in ids}
    assert gpp.statements(decoded) == {}


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (usnat(), {}), (usnat(2, 2, 2), {}), ("BVQqAAAACg", {}), (usnat(sensitive=2), {}), (usnat(1), OUT),
        (usnat(2, 1), OUT), (usnat(2, 2, 1), OUT), (usnat(sensitive=1), {"sensitive": False}),
        (usnat(sensitive=1, wide=True), {"sensitive": False}), (usnat(child=1), CHILD), (usnat(child=2), CHILD),
        (usnat(child=2, wide=True), CHILD), (usnat() + ".QA", {}), (usnat() + ".Q", {}), (usnat() + ".YA", OUT),
        (usnat(2, 2, 2) + ".Y", OUT),
    ],
)  # fmt: skip
def test_a_national_section_denies_or_states_nothing(text: str, stated: dict[str, bool]) -> None:
    """An opt-out, a GPC signal and a known child deny; other answers state nothing."""
    assert statements(decode_usnat(text)) == stated


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (usca(), {}), (usca(2, 2), {}), (usca(1), OUT), (usca(0, 1), OUT), (usca(sensitive=1), {"sensitive": False}),
        (usca(child=1), CHILD), (usca(child=2), CHILD), (usca() + ".YA", OUT), (usca() + ".QA", {}),
    ],
)  # fmt: skip
def test_a_californian_section_denies_or_states_nothing(text: str, stated: dict[str, bool]) -> None:
    """As a national section does."""
    assert statements(decode_usca(text)) == stated


@given(st.lists(ANSWER, min_size=9, max_size=9), st.lists(ANSWER, max_size=16), st.lists(ANSWER, max_size=3))
def test_a_us_section_never_grants(opt: list[int], sensitive: list[int], child: list[int]) -> None:
    """Whatever its answers."""
    section = UsSection(1, opt[0], opt[1], opt[2], tuple(sensitive), tuple(child), bool(opt[3]))

    assert True not in statements(section).values()


@pytest.mark.parametrize(
    "text",
    [
        "", "B", text_of("000000" + "0" * 54), text_of("000011" + "0" * 64), usnat(3), usnat(child=3), usnat() + ".",
        usnat() + ".A", usnat() + ".gA", usnat() + ".QA.QA", usnat() + ".YB", usnat()[:-1], usnat() + "AAAB",
    ],
)  # fmt: skip
def test_a_malformed_national_section_is_refused(text: str) -> None:
    """An unknown version, an undefined answer, a wrong segment, or missing bits."""
    with pytest.raises(BadSignal):
        decode_usnat(text)


def test_a_denying_section_beats_a_granting_one() -> None:
    """Whichever section denies."""
    ids = header([(2, 2), (6, 8)])
    parts = [FULL, "1YNN", usnat(2, 2, 2), usca(2, 2)]
    assert gpp.statements(gpp.decode("~".join([ids, *parts]), NOW)) == GRANTS
    for at, worse in ((1, "1YYN"), (2, usnat(1)), (3, usca(1))):
        changed = [*parts[:at], worse, *parts[at + 1 :]]
        assert gpp.statements(gpp.decode("~".join([ids, *changed]), NOW)) == GRANTS | OUT


ONE = header([(2, 2)])


@pytest.mark.parametrize(
    "text",
    [
        "", "~", "~~", "D", "DBA", "DBAA~", f"DBAA~{FULL}", ONE, f"{ONE}~", f"{ONE}~{FULL}~", f"{ONE}~{FULL}~1YNN",
        f"{header([(2, 2), (6, 6)])}~{FULL}", f"{header([(2, 2), (6, 6)])}~1YNN~{FULL}", f"{ONE}~{FULL[:-9]}",
        f"{ONE}~{usnat()}", f"{header([(2, 2)], kind=2)}~{FULL}", f"{header([(2, 2)], version=2)}~{FULL}",
        f"{ONE}AAB~{FULL}", f"{ONE}.A~{FULL}", f"{ONE}~{FULL} ", f"{ONE}~{FULL}\n", f"{header([(2, 60_000)])}~{FULL}",
        f"{text_of('000011000001' + '0' * 11 + '1' + '0' * 90)}~{FULL}", f"{text_of('000011000001' + '1' * 12)}~{FULL}",
        f"{ONE}~{FULL}" + "~" * 9000, "D" * 1_000_000, f"{ONE}~{FULL}".encode(), None, 3, [], {}, object(),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_a_malformed_gpp_string_is_refused_as_a_whole(text: object) -> None:
    """A wrong count, order, kind, version or code, one bad section, or a value that is no string."""
    with pytest.raises(BadSignal):
        gpp.decode(text, NOW)
