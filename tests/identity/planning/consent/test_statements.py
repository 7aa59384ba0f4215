"""Statements of a call: the time from which a signal counts, and updates that name some types of a class."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.fold import Meeting
from identity.planning.consent.permission import Permission, Verdict
from identity.planning.consent.purposes import compile_purposes
from identity.planning.consent.signals.google import PARTS
from identity.planning.consent.statements import MOST_NAMED, REGION, decided_at, statements
from identity.planning.resolution.fold_documents import merge_signals
from identity.values.calls import DAY
from identity.values.documents import MINOR, STATED, Document
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp
from tests.identity.planning.consent.signals.encoding import NOW, encode, granting, header

ANN, BOB = ProfileId(b"a"), ProfileId(b"b")

TODAY = NOW - NOW % DAY
NONE: frozenset[int] = frozenset()
TYPES = PARTS["ads"]
DENIED, GRANTED = dict.fromkeys(TYPES, "denied"), dict.fromkeys(TYPES, "granted")
Sent = tuple[int, dict[str, Any]]
"""The time of a call, and its consent object."""


def tc(updated: int, **changed: Any) -> dict[str, Any]:
    """A consent object with a TC string of this time."""
    return {"tcf": encode(granting(last_updated=updated, **changed))}


def gcm(**types: str) -> dict[str, Any]:
    """A consent object with a consent mode."""
    return {"googleConsentMode": types}


def heard(*calls: Sent, first: int = 1, server: bool = False) -> Document:
    """The document of an origin after these calls."""
    document = Document()
    for stamp, (time, consent) in enumerate(calls, first):
        found = statements({"consent": consent}, server=server, received=NOW, time=Micros(time))
        merge_signals(document, found.signals, Stamp(stamp))
    return document


def verdict(*calls: Sent, now: int = NOW, **policy: Any) -> Verdict:
    """The verdict about advertising after these calls of one device."""
    made = compile_purposes({"purposes": [{"id": "Ads", "class": "ads", "ttl_days": 390}], **policy}, 1)
    return Permission({ANN: heard(*calls)}, [], made, Micros(now)).one("Ads", ANN)


def test_a_grant_in_a_string_is_as_old_as_the_string() -> None:
    """Whenever the call that carries it arrives."""
    assert verdict((NOW, tc(NOW - 30 * DAY))) == (True, "granted_by_class", NOW + 360 * DAY)
    assert verdict((NOW, tc(NOW - 391 * DAY))) == (False, "expired", None)


@pytest.mark.parametrize("field", ["tcf", "gpp"])
def test_a_string_from_before_a_withdrawal_never_lifts_it(field: str) -> None:
    """Neither one of another string nor one of another source."""

    def old(when: int) -> Sent:
        text = tc(NOW - 30 * DAY)["tcf"]
        return when, {field: text if field == "tcf" else f"{header([(2, 2)])}~{text}"}

    assert verdict(old(NOW - 30 * DAY)).granted
    for withdrawal in (tc(NOW - 3 * DAY, purposes_consent=NONE), gcm(**DENIED)):
        assert not verdict(old(NOW - 30 * DAY), (NOW - 3 * DAY, withdrawal), old(NOW - DAY)).granted
        assert not verdict((NOW - 3 * DAY, withdrawal), old(NOW)).granted
    assert verdict((NOW - 40 * DAY, gcm(**DENIED)), old(NOW)).granted


def test_a_string_never_counts_from_a_time_after_its_call() -> None:
    """A clock that is ahead makes no choice newer than the call that shows it."""
    ahead = tc(NOW + DAY - 1)
    assert not verdict((NOW - DAY, ahead), (NOW - DAY + 1, gcm(ad_storage="denied"))).granted
    assert verdict((NOW - DAY, ahead), (NOW - DAY - 1, gcm(ad_storage="denied"))).granted


def test_a_string_of_the_day_alone_counts_from_its_call_on_that_day() -> None:
    """So the last of several choices of one day counts, and a string of that day sent again later lifts nothing."""
    yes, no = tc(TODAY), tc(TODAY, purposes_consent=NONE)
    morning, noon, later = TODAY + 100, TODAY + 200, TODAY + DAY
    assert verdict((morning, no), (noon, yes)).granted
    assert verdict((morning, no), (noon, yes), (later, yes), now=later).granted
    assert not verdict((morning, yes), (noon, no)).granted
    assert not verdict((morning, yes), (noon, no), (later, yes), now=later).granted
    assert not verdict((morning, yes), (later, no), now=later).granted
    assert not verdict((noon, gcm(ad_storage="denied")), (later, yes), now=later).granted


TIMES = st.integers(NOW - 3 * DAY, NOW) | st.integers(-3, 0).map(lambda days: TODAY + days * DAY)


@given(TIMES, TIMES)
def test_a_denial_counts_from_no_earlier_time_than_a_grant(updated: int, time: int) -> None:
    """Neither counts from after the call, nor from before the string unless its call is older."""
    grant, denial = (decided_at(Micros(updated), granted=granted, time=Micros(time)) for granted in (True, False))

    assert min(updated, time) <= grant <= denial <= time
    if updated % DAY:
        assert grant == denial == min(updated, time)


@given(TIMES, TIMES, TIMES, st.booleans())
def test_a_string_sent_again_lifts_no_denial_that_is_newer(updated: int, denied: int, again: int, mode: bool) -> None:  # noqa: FBT001
    """Whatever the times of the calls; a string of the day alone is as new as its day."""
    newest = updated + DAY - 1 if updated % DAY == 0 else updated
    denial = gcm(**DENIED) if mode else tc(denied, purposes_consent=NONE, created=denied)
    calls = [(denied, denial), (again, tc(updated))]
    if newest < denied - DAY:
        assert not verdict(*calls).granted
        assert not verdict(*reversed(calls)).granted


@pytest.mark.parametrize("type_", TYPES)
def test_an_update_of_one_type_leaves_the_others_denied(type_: str) -> None:
    """Only all three grant the class again."""
    one = (NOW - 50, gcm(**{type_: "granted"}))
    denied = (NOW - 100, gcm(**DENIED))
    assert verdict(denied, one) == (False, "denied_by_class", None)
    assert verdict(one, denied).reason == "denied_by_class"
    assert not verdict((NOW - 100, tc(NOW - 100, purposes_consent=NONE)), one).granted
    rest = {name: "granted" for name in TYPES if name != type_}
    assert verdict(denied, one, (NOW - 40, gcm(**rest))).granted
    assert verdict(one).granted


def test_a_grant_of_a_class_is_as_old_as_its_oldest_type() -> None:
    """A repeated grant of one type does not renew the others."""
    both = (NOW - 100, gcm(ad_storage="granted", ad_user_data="granted"))
    assert verdict(both, (NOW - 50, gcm(ad_storage="granted"))).until == NOW - 100 + 390 * DAY
    assert verdict(both, (NOW - 50, gcm(**GRANTED))).until == NOW - 50 + 390 * DAY


def test_a_denial_by_one_signal_of_a_call_beats_a_grant_by_another() -> None:
    """Although the string is older than the call."""
    refused = tc(NOW - 30 * DAY, purposes_consent=frozenset({1, 7}))
    for calls in ([(NOW, refused | gcm(**GRANTED))], [(NOW - 9, gcm(**GRANTED)), (NOW, refused | gcm(**GRANTED))]):
        assert verdict(*calls) == (False, "denied_by_class", None)
    assert not verdict((NOW, tc(NOW - 30 * DAY) | gcm(ad_user_data="denied"))).granted
    assert verdict((NOW, tc(NOW - 30 * DAY) | gcm(**GRANTED))).granted


@given(
    st.lists(st.dictionaries(st.sampled_from(TYPES), st.booleans(), min_size=1), min_size=1, max_size=5), st.randoms()
)
def test_each_type_has_its_newest_answer_in_any_order(updates: list[dict[str, bool]], random: Any) -> None:
    """The class is granted if every type that an update named is granted."""
    newest: dict[str, bool] = {}
    calls = []
    for at, update in enumerate(updates):
        newest |= update
        words = {name: "granted" if granted else "denied" for name, granted in update.items()}
        calls.append((NOW - 100 + at, gcm(**words)))
    random.shuffle(calls)

    assert verdict(*calls).granted == all(newest.values())


def test_an_update_on_another_device_leaves_the_other_types_denied() -> None:
    """After the two were merged, each type is folded by itself."""
    denied, granted = heard((NOW - 100, gcm(**DENIED))), heard((NOW - 50, gcm(ad_storage="granted")), first=9)
    purposes = compile_purposes({"purposes": [{"id": "Ads", "class": "ads"}]}, 1)
    met = [Meeting(Stamp(5), BOB, ANN)]
    merged = Permission({ANN: denied, BOB: granted}, met, purposes, NOW)
    assert [merged.one("Ads", origin).reason for origin in (ANN, BOB)] == ["denied_by_class"] * 2
    everything = heard((NOW - 50, gcm(**GRANTED)), first=9)
    merged = Permission({ANN: denied, BOB: everything}, met, purposes, NOW)
    assert merged.one("Ads", ANN).granted


def test_signals_that_are_not_read_are_named() -> None:
    """By their fields, sections and members."""
    consent = {"tcf": "x", "gpp": f"{header([(6, 6), (40, 40)])}~1YYN~x", "googleConsentMode": {"a": "x"}}
    found = statements({"consent": consent}, server=False, received=NOW, time=NOW)

    assert found.invalid == ["tcf", "gpp:40", "gcm:a"]
    assert found.signals == dict.fromkeys(("out:ads", "out:sale_share"), (False, NOW))


UNREAD: dict[str, tuple[Any, list[str]]] = {
    "a category as text": ({"categoryPreferences": {"Ads": "false", "Mail": True}}, ["categories:Ads"]),
    "a category as number": ({"categoryPreferences": {"Ads": 0}}, ["categories:Ads"]),
    "a category as null": ({"categoryPreferences": {"Ads": None}}, ["categories:Ads"]),
    "two categories": ({"categoryPreferences": {"A b": 1, "C": []}}, ["categories:A b", "categories:C"]),
    "a category without a usable name": ({"categoryPreferences": {"": 1, "\n": 1}}, ["categories"]),
    "categories as list": ({"categoryPreferences": ["Ads"]}, ["categories"]),
    "categories as text": ({"categoryPreferences": "Ads"}, ["categories"]),
    "minor as text": ({"minor": "true"}, ["minor"]),
    "minor as number": ({"minor": 1}, ["minor"]),
    "a country by name": ({"jurisdiction": "Germany"}, ["jurisdiction"]),
    "a country in three letters": ({"jurisdiction": "DEU"}, ["jurisdiction"]),
    "a country as number": ({"jurisdiction": 49}, ["jurisdiction"]),
    "members of other names": (
        {"tcString": "x", "gppString": "x", "us_privacy": "1YYN"},
        ["consent:tcString", "consent:gppString", "consent:us_privacy"],
    ),
    "consent as text": ("yes", ["consent"]),
    "consent as list": ([{"minor": True}], ["consent"]),
    "consent as true": (True, ["consent"]),
}
READ: tuple[Any, ...] = (
    None,
    {},
    {"categoryPreferences": None, "minor": None, "jurisdiction": None},
    {"categoryPreferences": {}},
    {"categoryPreferences": {"Ads": False}, "minor": False, "jurisdiction": "us-ca"},
)


@pytest.mark.parametrize(("consent", "invalid"), UNREAD.values(), ids=UNREAD.keys())
@pytest.mark.parametrize("server", [False, True])
def test_every_part_of_a_consent_object_that_is_not_read_is_named(
    consent: Any,
    invalid: list[str],
    server: bool,  # noqa: FBT001
) -> None:
    """And grants nothing."""
    found = statements({"consent": consent}, server=server, received=NOW, time=NOW)

    assert found.invalid == invalid
    granting = {name for name, signal in found.signals.items() if signal.value is not False}
    assert granting <= {MINOR, *(f"{name}{suffix}" for name in (STATED, REGION) for suffix in ("", ":server"))}


@pytest.mark.parametrize("consent", READ, ids=str)
def test_a_consent_object_that_is_read_names_nothing(consent: Any) -> None:
    """Neither do absent and null fields."""
    assert statements({"consent": consent}, server=False, received=NOW, time=NOW).invalid == []


def test_an_unread_category_counts_as_one_that_is_left_out() -> None:
    """The readable categories beside it are a complete statement."""
    unread, absent = (
        statements({"consent": {"categoryPreferences": stated}}, server=False, received=NOW, time=NOW).signals
        for stated in ({"Ads": "true", "Mail": True}, {"Mail": True})
    )
    assert unread == absent


def test_at_most_100_parts_are_listed_by_their_own_names() -> None:
    """The name of their field stands for the others."""
    stated = {f"c{at}": "yes" for at in range(MOST_NAMED + 5)}
    found = statements({"consent": {"categoryPreferences": stated}}, server=False, received=NOW, time=NOW)

    assert found.invalid == [*(f"categories:c{at}" for at in range(MOST_NAMED)), "categories"]
