"""The signals of a call: their fields, their statements, and the values kept as evidence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.signals import google
from identity.planning.consent.signals.classes import Statements
from identity.planning.consent.signals.read_signals import LONGEST_RAW, Signal, read_signals
from tests.identity.planning.consent.signals.encoding import NOW, encode, granting, header

FULL = encode(granting())
GPP = f"{header([(2, 2), (6, 6)])}~{FULL}~1YYN"
BARE = encode(granting(disclosed=None))
OLD = encode(granting(policy=3))
OUT: Statements = {"ads": False, "sale_share": False}
FIELD = Signal(source="gpc", stated=OUT, raw="context.gpc: true", opt_out=True)
GRANTS: Statements = {"ads": True, "analytics": True, "personalisation": True}
TEXT = st.text(st.characters())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)
FIELDS = ("tcf", "gpp", "usPrivacy", "googleConsentMode")


def read(context: object, *, header: bool = False, server: bool = False) -> tuple[Signal, ...]:
    """The signals of a call."""
    return read_signals(context, header=header, server=server, now=NOW).found


@pytest.mark.parametrize(
    ("field", "value", "signal"),
    [
        ("tcf", FULL, Signal(source="tcf", stated=GRANTS, raw=FULL, updated=NOW)),
        ("tcf", "", Signal(source="tcf", stated={}, raw="", invalid=True)),
        ("tcf", FULL[:40], Signal(source="tcf", stated={}, raw=FULL[:40], invalid=True)),
        ("tcf", "\u00c5\ud800\0", Signal(source="tcf", stated={}, raw="\\xc5\\ud800\0", invalid=True)),
        ("tcf", {"string": [FULL]}, Signal(source="tcf", stated={}, raw="", invalid=True)),
        ("tcf", BARE, Signal(source="tcf", stated={}, raw=BARE, invalid=True, updated=NOW)),
        ("tcf", OLD, Signal(source="tcf", stated={}, raw=OLD, invalid=True, updated=NOW)),
        ("gpp", "x", Signal(source="gpp", stated={}, raw="x", invalid=True)),
        ("usPrivacy", "1YYN", Signal(source="us_privacy", stated=OUT, raw="1YYN", opt_out=True)),
        ("usPrivacy", "1yyn", Signal(source="us_privacy", stated=OUT, raw="1yyn", opt_out=True)),
        ("usPrivacy", "1YNN", Signal(source="us_privacy", stated={}, raw="1YNN", opt_out=True)),
        ("usPrivacy", 1, Signal(source="us_privacy", stated={}, raw="", invalid=True)),
        (
            "googleConsentMode",
            {"ad_storage": "denied"},
            Signal(source="gcm", stated={"ads": False}, raw='{"ad_storage":"denied"}', types={"ad_storage": False}),
        ),
        ("googleConsentMode", {"wait_for_update": 500}, Signal(source="gcm", stated={}, raw="")),
        ("googleConsentMode", "G111", Signal(source="gcm", stated={}, raw="G111", invalid=True)),
    ],
)
def test_a_signal_is_read_from_its_field(field: str, value: object, signal: Signal) -> None:
    """The received value is kept, and an invalid signal states nothing."""
    assert read({"consent": {field: value, "categoryPreferences": {"Ads": True}}}) == (signal,)


def test_a_gpp_string_is_one_signal_for_each_section() -> None:
    """With the names of the sections; a missing one lists the string as well."""
    us = Signal(source="gpp", stated=OUT, raw="1YYN", part="uspv1", opt_out=True)

    assert read({"consent": {"gpp": GPP}}) == (
        Signal(source="gpp", stated=GRANTS, raw=FULL, part="tcfeuv2", updated=NOW),
        us,
    )
    cut = f"{header([(6, 7), (40, 40)])}~1YYN"
    found = read_signals({"consent": {"gpp": cut}}, header=False, server=False, now=NOW)
    assert us in found.found
    assert (found.sources, found.invalid) == (["gpp"], ["gpp", "gpp:usnat", "gpp:40"])


@pytest.mark.parametrize(
    ("mode", "stated", "invalid"),
    [
        (
            {"ad_storage": "denied", "personalization": "denied"},
            {"ads": False, "personalisation": False},
            ["gcm:personalization"],
        ),
        ({"ad_storage": "denied", "wait_for_update": 500, "region": ["DE"]}, {"ads": False}, []),
        ({"ad_storage": "granted", "ad_user_data": "yes"}, {"ads": False}, ["gcm:ad_user_data"]),
        ({"b": "c", "\ud800": "é", "a b": 1}, {}, ["gcm:b", "gcm"]),
        (dict.fromkeys(map(str, range(99)), "granted"), {}, [f"gcm:{each}" for each in range(google.MOST_UNREAD)]),
    ],
)
def test_an_unread_member_of_a_consent_mode_voids_nothing_and_is_listed(
    mode: dict[str, object], stated: dict[str, bool], invalid: list[str]
) -> None:
    """By its name where that is a word; a type counts as denied, and Google's own parameters are no such member."""
    found = read_signals({"consent": {"googleConsentMode": mode}}, header=False, server=False, now=NOW)

    assert (found.stated, found.invalid) == (stated, invalid)


@pytest.mark.parametrize("context", [None, {}, [], "x", {"consent": None}, {"consent": [FULL]}, {"consent": {}}])
def test_a_context_without_a_signal_has_none(context: object) -> None:
    """Malformed consent objects included."""
    assert read(context) == ()


def test_a_null_field_is_no_signal() -> None:
    """Like an absent field."""
    assert read({"gpc": None, "consent": dict.fromkeys(FIELDS)}) == ()


@pytest.mark.parametrize(
    ("context", "header", "server", "signals"),
    [
        ({}, True, False, [Signal(source="gpc", stated=OUT, raw="Sec-GPC: 1", opt_out=True)]),
        ({}, True, True, [Signal(source="gpc", stated={}, raw="Sec-GPC: 1", ignored=True, opt_out=True)]),
        ({"gpc": True}, False, True, [FIELD]),
        ({"gpc": "true"}, False, True, [FIELD]),
        ({"gpc": 1}, False, True, [FIELD]),
        ({"gpc": " 1"}, False, True, [FIELD]),
        (
            {"gpc": True},
            False,
            False,
            [Signal(source="gpc", stated={}, raw="context.gpc: true", ignored=True, opt_out=True)],
        ),
        ({"gpc": False}, False, True, []),
        ({"gpc": "0"}, False, True, []),
        *(
            ({"gpc": value}, False, server, [Signal(source="gpc", stated=OUT, raw=raw, invalid=True, opt_out=True)])
            for value, raw in (("yes", "yes"), (2, ""), ([True], ""), ({"value": False}, ""), (10**5000, ""))
            for server in (False, True)
        ),
        *(
            ({"gpc": value}, False, True, [Signal(source="gpc", stated={}, raw=raw, invalid=True)])
            for value, raw in (("no", "no"), ("off", "off"), ([], ""), ({}, "{}"))
        ),
    ],
)
def test_gpc_follows_the_kind_of_key(context: object, header: bool, server: bool, signals: list[Signal]) -> None:  # noqa: FBT001
    """The opposite combinations are flagged and ignored."""
    assert list(read(context, header=header, server=server)) == signals


def test_a_denial_by_one_signal_beats_a_grant_by_another() -> None:
    """Within one call."""
    found = read_signals({"consent": {"tcf": FULL, "usPrivacy": "1YYN"}}, header=False, server=False, now=NOW)

    assert found.stated == {**GRANTS, **OUT}


@pytest.mark.parametrize(("before", "after"), [(" ", ""), ("", "\n"), ("\t", " "), ("\r\n ", "\u00a0")])
@pytest.mark.parametrize(("field", "value"), [("tcf", FULL), ("gpp", GPP), ("usPrivacy", "1YYN")])
def test_blanks_around_a_string_are_no_part_of_it(field: str, value: str, before: str, after: str) -> None:
    """It is read, and kept, as the same string without them."""
    trimmed = read({"consent": {field: value}})
    assert read({"consent": {field: f"{before}{value}{after}"}}) == trimmed
    assert not any(signal.invalid for signal in trimmed)


@given(st.dictionaries(st.sampled_from([*FIELDS, "other"]), JSON) | JSON, JSON, st.booleans(), st.booleans())
def test_any_json_is_read_without_an_error(consent: Any, gpc_field: Any, header: bool, server: bool) -> None:  # noqa: FBT001
    """Invalid signals never grant, and the kept values are bounded ASCII."""
    for signal in read({"consent": consent, "gpc": gpc_field}, header=header, server=server):
        assert not (signal.invalid or signal.ignored) or True not in signal.stated.values()
        assert signal.raw.isascii()
        assert len(signal.raw) <= LONGEST_RAW


def test_deep_and_large_values_cost_nothing() -> None:
    """They are invalid signals."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    found = read({"gpc": deep, "consent": {**dict.fromkeys(FIELDS, deep), "tcf": "C" * 1_000_000}})

    assert [signal.invalid for signal in found] == [True] * 5
