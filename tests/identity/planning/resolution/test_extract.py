"""A body is read whole or rejected with a stable code."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.planning.resolution.call_requirements import CONSENT_EVENT, REJECTIONS
from identity.planning.resolution.extract import extract, stated_group
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules, compile_rules
from identity.values.calls import KINDS, MICRO, Call, Kind, Source
from identity.values.errors import BadCall
from identity.values.stamps import Micros

RECEIVED = 1_735_689_600 * MICRO


def read(body: object, kind: Kind | None = "track", *, sent_at: object = None, rules: Rules = DEFAULT_RULES) -> Call:
    """The call in a body."""
    return extract(body, kind=kind, rules=rules, received=Micros(RECEIVED), sent_at=sent_at, source=Source(1))


def code(body: object, kind: Kind | None = "track") -> str:
    """The code of the rejection of a body."""
    with pytest.raises(BadCall) as rejected:
        read(body, kind)
    return rejected.value.code


@pytest.mark.parametrize("kind", [*KINDS])
def test_the_body_names_its_type_in_a_batch(kind: Kind) -> None:
    """A batch has no kind in its path."""
    assert read({"type": kind, "groupId": "g"}, None).kind == kind


def test_the_path_decides_over_the_body() -> None:
    """The type in the body does not count where the path names a kind."""
    assert read({"type": "identify"}, "page").kind == "page"


def many(count: int) -> dict[str, int]:
    """A number of traits."""
    return {f"t{i}": i for i in range(count)}


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (None, "track", "not_an_object"),
        ([], "track", "not_an_object"),
        ("x", None, "not_an_object"),
        ({}, None, "invalid_type"),
        ({"type": None}, None, "invalid_type"),
        ({"type": ["track"]}, None, "invalid_type"),
        ({"type": "Track"}, None, "invalid_type"),
        ({"context": "x"}, "track", "context_not_object"),
        ({"context": [1]}, "track", "context_not_object"),
        ({"traits": 5}, "identify", "traits_not_object"),
        ({"groupId": "g", "traits": "x"}, "group", "traits_not_object"),
        ({"traits": many(300)}, "identify", "too_many_traits"),
        ({"groupId": "g", "traits": many(300)}, "group", "too_many_traits"),
        ({"properties": many(10_001)}, "track", "too_many_properties"),
        (
            {"context": {"externalIds": [{"type": "a", "id": f"v{i}"} for i in range(1000)]}},
            "track",
            "too_many_identifiers",
        ),
        ({"messageId": True}, "track", "bad_message_id"),
        ({"messageId": {}}, "track", "bad_message_id"),
        ({"messageId": "a\x00b"}, "track", "bad_message_id"),
        ({"messageId": "x" * 101}, "track", "message_id_too_long"),
        ({"messageId": 10**100}, "track", "message_id_too_long"),
        ({}, "group", "missing_group_id"),
        ({"groupId": None}, "group", "missing_group_id"),
        ({"groupId": " "}, "group", "missing_group_id"),
        ({"groupId": {}}, "group", "missing_group_id"),
        ({"groupId": "x" * 501}, "group", "group_id_too_long"),
        ({"groupId": "x" * 2000}, "group", "group_id_too_long"),
        ({"event": CONSENT_EVENT}, "track", "missing_consent_preferences"),
        ({"event": CONSENT_EVENT, "context": {"consent": {}}}, "track", "missing_consent_preferences"),
    ],
)
def test_a_body_that_breaks_a_rule_is_rejected_with_its_code(body: object, kind: Kind | None, expected: str) -> None:
    """One code for each rule."""
    assert code(body, kind) == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"traits": many(299)}, "identify"),
        ({"traits": many(300)}, "track"),
        ({"properties": many(10_000)}, "track"),
        ({"messageId": "x" * 100}, "track"),
        ({"groupId": "x" * 500}, "group"),
        ({"traits": [], "context": []}, "identify"),
        ({"traits": None, "context": None, "properties": None}, "identify"),
        ({"properties": "x"}, "track"),
    ],
)
def test_bounds_are_inclusive(body: dict[str, Any], kind: Kind) -> None:
    """Null is absent, and the empty array of PHP an empty object."""
    assert read(body, kind).identifiers == []


def test_a_rejection_holds_no_text_of_the_body() -> None:
    """Each code has a fixed message."""
    with pytest.raises(BadCall) as rejected:
        read({"type": "ann@example.com"}, None)
    assert str(rejected.value) == REJECTIONS["invalid_type"]


@pytest.mark.parametrize(("given_", "message_id"), [("m 1 ", "m 1 "), (42, "42"), (42.0, "42"), ("nulls", "nulls")])
def test_a_message_id_is_kept_unchanged(given_: object, message_id: str) -> None:
    """A number becomes text."""
    assert read({"messageId": given_}).message_id == message_id


@pytest.mark.parametrize("given_", [None, "", "  ", "\n"])
def test_a_missing_message_id_is_generated(given_: object) -> None:
    """Each call gets another id, so that none counts as a duplicate."""
    ids = {read({"messageId": given_}).message_id for _ in range(2)}
    assert len(ids) == 2
    assert all(id_.startswith("onefold-") for id_ in ids)


def test_traits_belong_to_identify_and_group() -> None:
    """An identify sets traits of the profile, a group call traits of the group, a track none."""
    body = {"traits": {"a": None, "__proto__": {"b": 1}}, "groupId": " g1 "}
    identify, group, track = (read(body, kind) for kind in ("identify", "group", "track"))
    assert (identify.traits, identify.group, identify.group_traits) == (body["traits"], None, None)
    assert (group.traits, group.group, group.group_traits) == (None, "g1", body["traits"])
    assert (track.traits, track.group, track.group_traits) == (None, None, None)


def test_a_number_is_a_group_id() -> None:
    """A number becomes its decimal string, as in any id."""
    assert read({"groupId": 42.0}, "group").group == "42"


@pytest.mark.parametrize(
    ("consent", "decisions"),
    [
        ({"categoryPreferences": {"Ads": True, "Mail": False}}, {"Ads": True, "Mail": False}),
        ({"categoryPreferences": {"Ads": True, "Mail": "true", "X": 1, "Y": None}}, {"Ads": True}),
        ({"categoryPreferences": {"Ads": "true"}}, {}),
        ({"categoryPreferences": {}}, {}),
        ({"categoryPreferences": []}, {}),
        ({"categoryPreferences": True}, {}),
        ("yes", {}),
        ({"categoryPreferences": None}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_only_true_and_false_are_decisions(consent: object, decisions: dict[str, bool] | None) -> None:
    """An unreadable statement counts as an empty one; without a statement there are no decisions."""
    assert read({"context": {"consent": consent}}).consent == decisions


def test_context_traits_of_an_identify_count_where_it_has_no_others() -> None:
    """Empty traits are none; the context traits of other calls never count."""
    context = {"context": {"traits": {"a": 1}}}
    assert read(context, "identify").traits == {"a": 1}
    assert read({**context, "traits": {}}, "identify").traits == {"a": 1}
    assert read({**context, "traits": {"b": 2}}, "identify").traits == {"b": 2}
    assert read(context, "track").traits is None
    assert read({**context, "groupId": "g1"}, "group").group_traits is None


def test_fields_of_the_delivery_are_removed_from_the_body() -> None:
    """The write key and the metadata of the SDK."""
    assert read({"writeKey": "k", "_metadata": {}, "event": "E"}).body == {"event": "E"}


def test_the_sending_time_of_the_envelope_corrects_the_clock() -> None:
    """The sending time of the call itself has precedence."""
    sent = "2025-01-01T00:00:10Z"
    body = {"timestamp": "2025-01-01T00:00:00Z"}
    times = [
        read(body, sent_at=sent).time,
        read({**body, "sentAt": "2025-01-01T00:00:02Z"}, sent_at=sent).time,
    ]
    assert times == [RECEIVED - 10 * MICRO, RECEIVED - 2 * MICRO]


NAMES = [
    "type",
    "userId",
    "anonymousId",
    "previousId",
    "groupId",
    "messageId",
    "context",
    "traits",
    "properties",
]
INNER = [
    "email",
    "phone",
    "externalIds",
    "id",
    "device",
    "integrations",
    "Google Analytics",
    "clientId",
    "consent",
]
KEYS = st.sampled_from([*NAMES, *INNER, "categoryPreferences", "token", "timestamp", "sentAt"]) | st.text(max_size=3)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*KINDS, "ios", "a@b.co", "4155552671", "2025-01-01", "null", "\ud800", 10**1100])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
BODIES = st.dictionaries(st.sampled_from([*NAMES, "timestamp", "sentAt", "event"]), JSON)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(BODIES | JSON, st.sampled_from([None, *KINDS]), JSON)
def test_any_body_is_read_or_rejected_with_a_code(body: object, kind: Kind | None, sent_at: object) -> None:
    """No JSON raises another error or makes a call that breaks an invariant."""
    call, code = None, ""
    try:
        call = read(body, kind, sent_at=sent_at)
    except BadCall as rejected:
        code = rejected.code
    if call is None:
        assert code in REJECTIONS
        return
    assert call.time <= RECEIVED
    claimed = [(identifier.type, identifier.value) for identifier in call.identifiers]
    assert len(claimed) == len(set(claimed))
    assert not set(claimed) & {(each.identifier.type, each.identifier.value) for each in call.demoted}
    assert "".join([*map("".join, claimed), call.message_id, call.group or ""]).encode()


@pytest.mark.parametrize(
    "group", ["undefined", "NULL", " none ", '"null"', 0, "000", "00000000-0000-0000-0000-000000000000", "n/a", "-1",
              "[object Object]", "Test@Test.com", "nan", "default", "My Company", "company_name"],
)  # fmt: skip
def test_a_placeholder_is_no_group(group: object) -> None:
    """The call stays, without a group and its traits, and names what is blocked."""
    call = read({"userId": "u", "groupId": group, "traits": {"plan": "pro"}}, "group")
    assert (call.group, call.group_traits) == (None, None)
    assert [(s.identifier.type, s.reason) for s in call.demoted] == [("group_id", "blocked")]
    assert stated_group(call.body, "group", DEFAULT_RULES) is None


@pytest.mark.parametrize(
    ("blocked", "joins"),
    [({"group_id": ["demo.*"]}, False), ({"*": ["demo-1"]}, False), ({"user_id": ["demo-1"]}, True)],
)
def test_a_pattern_of_the_space_blocks_groups(blocked: dict[str, list[str]], joins: bool) -> None:  # noqa: FBT001
    """Under `group_id` or for every type."""
    rules = compile_rules({"blocked": blocked}, 1)
    call = read({"userId": "u", "groupId": "demo-1"}, "group", rules=rules)
    assert (call.group is not None, stated_group(call.body, "group", rules) is not None) == (joins, joins)


def test_a_group_that_is_a_placeholder_can_be_left() -> None:
    """Profiles joined such groups before they were blocked."""
    call = read({"groupId": "undefined", "userId": "u"}, kind="leave")
    assert (call.group, call.demoted) == ("undefined", [])


@pytest.mark.parametrize("message", ["undefined", "null", "00000000-0000-0000-0000-000000000000", 0])
def test_a_placeholder_is_no_message_id(message: object) -> None:
    """Two such calls are two calls."""
    body = {"userId": "u", "event": "e", "messageId": message}
    first, second = read(dict(body)), read(dict(body))
    assert first.message_id != second.message_id
    assert first.message_id.startswith("onefold-")
