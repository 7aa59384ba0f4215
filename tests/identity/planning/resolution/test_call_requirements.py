"""Ingest asks more of a call than a rebuild does, and names every field that is not read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.call_requirements import (
    MOST_OF_A_PUBLIC_KEY,
    REJECTIONS,
    is_batch,
    missing_identifier_hint,
    rejection_hint,
    require_alias_ids,
    require_few_entries,
    require_few_identifiers,
    require_time,
)
from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import KINDS, MICRO, Call, Kind, Source
from identity.values.errors import BadCall
from identity.values.stamps import Micros


def read(body: dict[str, Any], kind: Kind = "track") -> Call:
    """The call in a body, received in 2025."""
    return extract(
        body, kind=kind, rules=DEFAULT_RULES, received=Micros(1_735_689_600 * MICRO), sent_at=None, source=Source(1)
    )


RECEIVED_AT_ZERO = "receivedAt lies on 1970-01-01, the zero of a clock, which stands for a time that was never set."


@pytest.mark.parametrize(
    ("body", "ignored"),
    [
        ({"context": {"traits": "ann"}}, {"context.traits": "field_not_object"}),
        ({"context": {"traits": [1]}}, {"context.traits": "field_not_object"}),
        ({"properties": "x"}, {"properties": "field_not_object"}),
        ({"context": {"traits": []}, "properties": []}, {}),
        ({"context": {"traits": None}, "properties": None}, {}),
        ({"userId": "u", "anonymous_id": "a"}, {"anonymous_id": "misspelt_field"}),
        ({"userId": "u", "UserId": "v"}, {"UserId": "misspelt_field"}),
        ({"timestamp": "2999-01-01"}, {"timestamp": "future_timestamp"}),
        ({"properties": {"user_id": 1}}, {}),
        (
            {"Traits": {}, "context": {"External_IDs": []}},
            {"Traits": "misspelt_field", "context.External_IDs": "misspelt_field"},
        ),
        ({"context": {"integrations": "x"}}, {"context.integrations": "field_not_object"}),
        ({"context": {"integrations": []}}, {}),
        (
            {"context": {"device": {"type": "ios", "advertisingId": "i", "adTrackingEnabled": "true"}}},
            {"context.device.adTrackingEnabled": "field_not_boolean"},
        ),
        (
            {"context": {"device": {"type": "ios", "advertisingId": "i", "adTrackingEnabled": False}}},
            {"context.device.advertisingId": "tracking_not_allowed"},
        ),
        *(
            ({"context": {"device": device}}, {"context.device.advertisingId": "tracking_not_stated"})
            for device in ({"advertisingId": "i"}, {"type": "ios", "advertisingId": 7, "adTrackingEnabled": None})
        ),
        ({"context": {"device": {"type": "ios", "advertisingId": "i", "adTrackingEnabled": True}}}, {}),
        ({"context": {"device": {"type": "ios", "advertisingId": ""}}}, {}),
        *(
            ({"userId": "u", "context": {name: "x"}}, {f"context.{name}": "misspelt_field"})
            for name in ("userId", "user_id", "userID", "anonymousId", "anonymous_id", "AnonymousID")
        ),
        ({"context": {"groupId": "g"}}, {"context.groupId": "group_of_context"}),
        ({"context": {"groupId": None, "userId": None}, "groupId": ""}, {}),
        ({"context": {"device": {"type": "ios", "adTrackingEnabled": "true"}}}, {}),
        (
            {"type": "identify", "traits": {"plan": "pro"}},
            {"type": "type_of_path", "traits": "field_of_other_type"},
        ),
        ({"type": "Track"}, {"type": "type_of_path"}),
        ({"type": ["track"]}, {"type": "type_of_path"}),
        ({"type": "track", "traits": {}}, {}),
        ({"type": None, "traits": []}, {}),
        ({"traits": "x"}, {"traits": "field_of_other_type"}),
        ({"previousId": "p"}, {"previousId": "field_of_other_type"}),
        ({"previousId": None, "traits": None}, {}),
    ],
)
def test_a_field_that_is_not_read_is_named_with_its_reason(body: dict[str, Any], ignored: dict[str, str]) -> None:
    """The rest of the call is taken."""
    assert read(body).ignored_fields == ignored


@pytest.mark.parametrize("kind", KINDS)
def test_traits_are_listed_where_no_profile_and_no_group_gets_them(kind: Kind) -> None:
    """A call of each type has them read or listed, and so has its previous id and its group."""
    call = read({"type": kind, "userId": "u", "groupId": "g", "previousId": "p", "traits": {"plan": "pro"}}, kind)
    taken = {
        "traits": bool(call.traits or call.group_traits),
        "previousId": call.alias is not None,
        "groupId": call.group is not None,
    }
    assert call.ignored_fields == {name: "field_of_other_type" for name, is_read in taken.items() if not is_read}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"batch": []}, True),
        ({"batch": [{"type": "track"}], "userId": "u"}, True),
        ({"batch": [1, 2]}, False),
        ({"batch": "7"}, False),
        ({"batch": None}, False),
        ({"userId": "u"}, False),
        ([{"type": "track"}], False),
    ],
)
def test_a_list_of_calls_in_the_place_of_a_call_is_a_batch(body: object, expected: bool) -> None:  # noqa: FBT001
    """Another `batch` is a member of the call."""
    assert is_batch(body) is expected


@pytest.mark.parametrize("name", ["Timestamp", "time_stamp", "created_at", "original_timestamp", "received_at", "Time"])
def test_an_import_with_a_misspelt_time_is_rejected(name: str) -> None:
    """As of now, the call would overwrite what is newer. One without any time happens now."""
    with pytest.raises(BadCall) as rejected:
        require_time(read({"userId": "u", name: "2020-01-01"}))
    assert rejected.value.code == "invalid_timestamp"
    require_time(read({"userId": "u", name: "2020-01-01", "timestamp": "2020-01-01"}))
    require_time(read({"userId": "u", name: None}))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"userId": "u"}, "missing_previous_id"),
        ({"userId": "u", "previous_id": "p"}, "missing_previous_id"),
        ({"userId": "u", "from": "p"}, "missing_previous_id"),
        ({"userId": "u", "anonymousId": "a", "previousID": "p"}, "missing_previous_id"),
        ({"previousId": "p", "anonymousId": "a"}, "missing_user_id"),
        ({"userId": "u", "previousId": "p"}, None),
        ({"userId": "u", "previousId": "p", "from": "q"}, None),
        ({"userId": "u", "previousId": "null"}, None),
        ({"userId": "u", "anonymousId": "a"}, None),
        ({"user_id": "u", "previous_id": "p"}, None),
        ({}, None),
    ],
)
def test_an_alias_that_names_somebody_needs_both_ids(body: dict[str, Any], expected: str | None) -> None:
    """One that names nobody has a reason of its own, as any call without identifiers."""
    call = read(body, "alias")
    if expected is None:
        require_alias_ids(call)
        return
    with pytest.raises(BadCall) as rejected:
        require_alias_ids(call)
    assert rejected.value.code == expected


@pytest.mark.parametrize(
    ("code", "body", "hint"),
    [
        ("missing_previous_id", {"previousID": "p"}, "previousID is not read; send previousId."),
        ("missing_previous_id", {"user_id": "u", "from": "p"}, "from is not read; send previousId."),
        ("missing_previous_id", {"userId": "u"}, None),
        ("missing_user_id", {"user_id": "u"}, "user_id is not read; send userId."),
        ("missing_group_id", {"group_id": "g"}, "group_id is not read; send groupId."),
        ("missing_group_id", {"user_id": "u", "companyId": "c"}, "companyId is not read; send groupId."),
        ("missing_group_id", {"groupId": "", "company": "c"}, None),
        ("missing_group_id", {"context": {"groupId": "g"}}, "context.groupId is not read; send groupId."),
        ("missing_group_id", {"traits": {"company_id": "g"}}, "traits.company_id is not read; send groupId."),
        ("invalid_timestamp", {"timestamp": "yesterday"}, "timestamp is no time."),
        ("invalid_timestamp", {"timestamp": "2026-01-31", "receivedAt": "1970-01-01"}, RECEIVED_AT_ZERO),
        ("missing_user_id", {"previousId": "p", "to": "u"}, "to is not read; send userId."),
        ("missing_user_id", {"previousId": "p"}, None),
        ("missing_previous_id", {"userId": "u", "previosId": "p"}, "previosId is not read; send previousId."),
        ("missing_event", {"user_id": "u"}, None),
        ("missing_event", {"Event": "E"}, "Event is not read; send event."),
        ("missing_event", {"event_name": "E"}, "event_name is not read; send event."),
        ("missing_event", {"eventName": "E", "event": ""}, "eventName is not read; send event."),
        ("missing_event", {"Track": "E"}, "Track is not read; send event."),
        ("missing_event", {"action": "E"}, "action is not read; send event."),
        ("missing_event", {"name": "E"}, "name is not read; send event."),
        ("missing_event", {"properties": {"event": "E"}}, "properties.event is not read; send event."),
        ("missing_event", {"properties": {"name": "E", "action": "a"}}, None),
        ("missing_event", {"event": 7, "name": "E"}, None),
        ("missing_event", {"Event": None}, None),
        ("invalid_type", {"Type": "track"}, "Type is not read; send type."),
        ("invalid_type", {"action": "track"}, "action is not read; send type."),
        ("invalid_type", {"event_type": "Paid"}, "event_type is not read; send type."),
        ("invalid_type", {"type": "Track"}, 'Send "type": "track".'),
        ("invalid_type", {"type": " IDENTIFY "}, 'Send "type": "identify".'),
        ("invalid_type", {"type": "$identify"}, 'Send "type": "identify".'),
        ("invalid_type", {"type": "page_view"}, 'Send "type": "page".'),
        ("invalid_type", {"type": "t"}, 'Send "type": "track".'),
        ("invalid_type", {"type": "delete"}, "A call erases nobody; POST /v1/erasures does."),
        ("invalid_type", {"type": "Un-Merge"}, "A call separates nobody; POST /v1/profiles/unmerge does."),
        (
            "invalid_type",
            {"type": "leave"},
            "A call leaves no group; DELETE /v1/groups/{group_id}/members/{ref} does.",
        ),
        ("invalid_type", {"type": "consent"}, "Send context.consent in a track call, or POST /v1/consent."),
        ("invalid_type", {"Track": {"event": "E"}}, 'Send "type": "track".'),
        ("invalid_type", {"event": "E"}, 'Send "type": "track".'),
        ("invalid_type", {"type": "ann@example.com", "Type": "track"}, None),
        ("invalid_type", {"type": ["track"]}, None),
        ("invalid_type", {"userId": "u"}, None),
        ("batch_as_call", {"batch": []}, 'Send {"batch": [...]} to /v1/batch, with all calls in one list.'),
        ("invalid_timestamp", {"created_at": 1}, "created_at is not read; send timestamp."),
        ("invalid_timestamp", {"timestamp": "x", "Timestamp": 1}, "timestamp is no time."),
        ("context_not_object", {"context": {}}, "The context beside the batch is no object."),
        ("context_not_object", {"context": "x"}, None),
    ],
)
def test_the_hint_of_a_rejection_names_the_misspelt_field(code: str, body: dict[str, Any], hint: str | None) -> None:
    """Or the word of another vendor that stands in its place, or the type that is meant."""
    assert rejection_hint(code, body) == hint


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"UserId": "u"}, "UserId is not read; send userId."),
        ({"user_id": "u"}, "user_id is not read; send userId."),
        ({"distinct_id": "u"}, "distinct_id is not read; send userId or anonymousId."),
        ({"properties": {"distinct_id": "u"}}, "properties.distinct_id is not read; send userId or anonymousId."),
        ({"$device_id": "d"}, "$device_id is not read; send anonymousId."),
        ({"id": "u"}, "id is not read; send userId."),
        ({"user": {"id": "u"}}, "user is not read; send userId."),
        ({"traits": {"id": "u"}}, "traits.id is not read; send userId."),
        ({"context": {"user_id": "u"}}, "context.user_id is not read; send userId."),
        ({"email": "ann@example.com"}, "email is not read; send context.traits.email."),
        ({"traits": {"email": "a@b.com"}}, "traits.email is not read; send context.traits.email."),
        (
            {"context": {"traits": {" Email": "a@b.com"}}},
            "context.traits. Email is not read; send context.traits.email.",
        ),
        ({"phone_number": "+4930123456"}, "phone_number is not read; send context.traits.phone."),
        ({"properties": {"id": "sku-1", "name": "n"}}, "Send userId or anonymousId."),
        ({"Consent": {}, "customer_id": "u"}, "customer_id is not read; send userId."),
        ({"user_id": None, "id": None, "ann@example.com": 1, "\u0131d": 1, "": 1}, "Send userId or anonymousId."),
    ],
)
def test_the_hint_of_a_call_without_identifiers_names_what_may_hold_one(body: dict[str, Any], hint: str) -> None:
    """By another spelling, by the word of another vendor, or in another place."""
    assert missing_identifier_hint(body, "track") == hint


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"previousId": "p"}, "userId is missing: an alias links previousId to it; send both."),
        ({"previousId": "p", "user_id": "u"}, "user_id is not read; send userId."),
        ({"from": "p", "to": "u"}, "to is not read; send userId."),
        ({"previous_id": "p"}, "previous_id is not read; send previousId."),
        ({}, "Send userId or anonymousId."),
    ],
)
def test_the_hint_of_an_alias_that_names_nobody_says_which_id_is_missing(body: dict[str, Any], hint: str) -> None:
    """The new one first."""
    assert missing_identifier_hint(body, "alias") == hint


@given(st.dictionaries(st.text(max_size=12), st.none() | st.text(max_size=5) | st.dictionaries(st.text(), st.text())))
def test_hints_show_no_value_of_a_call(body: dict[str, Any]) -> None:
    """Whatever a call holds, each hint is made of names of fields alone and fails for none."""
    secret = {name: "ann@example.com" if isinstance(value, str) else value for name, value in body.items()}
    hints = [
        *(rejection_hint(code, secret) for code in REJECTIONS),
        *(missing_identifier_hint(secret, k) for k in KINDS),
    ]
    assert not any("ann@example.com" in (hint or "") for hint in hints)


def _external(count: int) -> dict[str, Any]:
    return {"context": {"externalIds": [{"type": "crm", "id": f"c{at}"} for at in range(count)]}}


def _required(body: dict[str, Any], *, server: bool) -> str:
    source = Source(1, server)
    try:
        require_few_entries(body, source)
        call = extract(
            body,
            kind="identify",
            rules=DEFAULT_RULES,
            received=Micros(1_735_689_600 * MICRO),
            sent_at=None,
            source=source,
        )
        require_few_identifiers(call)
    except BadCall as error:
        return error.code
    return "taken"


def test_a_call_of_a_public_key_has_few_identifiers() -> None:
    """Those of all places count together, and those that are refused as well; a server has the limit of every call."""
    most = MOST_OF_A_PUBLIC_KEY
    assert _required(_external(most), server=False) == "taken"
    assert _required({"userId": "u1", **_external(most - 1)}, server=False) == "taken"
    assert _required({"userId": "u1", **_external(most)}, server=False) == "too_many_identifiers"
    assert _required({"traits": {"phone": "+" * 240}, **_external(most)}, server=False) == "too_many_identifiers"
    assert _required(_external(most + 1), server=False) == "too_many_identifiers"
    assert _required({"userId": "u1", **_external(500)}, server=True) == "taken"
