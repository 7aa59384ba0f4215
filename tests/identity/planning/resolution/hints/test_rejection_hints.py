"""The hint of a rejected call names the field to send, and shows no value of the call."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.call_requirements import REJECTIONS, missing_identifier_hint, rejection_hint
from identity.values.calls import KINDS

RECEIVED_AT_ZERO = "receivedAt lies on 1970-01-01, the zero of a clock, which stands for a time that was never set."


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
