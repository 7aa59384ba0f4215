"""A member near a known name is misspelt; a name that an SDK sends, or of another meaning, is not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.fields.field_names import CALL, CONTEXT, ENVELOPE, misspelt_fields
from identity.values.fields.names import MisspeltField

WRITTEN = ["userId", "anonymousId", "groupId", "traits", "properties", "context", "timestamp", "receivedAt", "sentAt"]


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ({"Traits": 1}, "traits"),
        ({"trait": 1}, "traits"),
        ({"Properties": 1}, "properties"),
        ({"propertys": 1}, "properties"),
        ({"proprties": 1}, "properties"),
        ({"Context": 1}, "context"),
        ({"contxet": 1}, "context"),
        ({"anonymusId": 1}, "anonymousId"),
        ({"annonymous_id": 1}, "anonymousId"),
        ({"Timestamp": 1}, "timestamp"),
        ({"created_at": 1}, "timestamp"),
        ({"original_timestamp": 1}, "originalTimestamp"),
        ({"received_at": 1}, "receivedAt"),
        ({"message_id": 1}, "messageId"),
        ({"externalIds": 1}, "context.externalIds"),
        ({"consent": 1}, "context.consent"),
        ({"gpc": 1}, "context.gpc"),
        ({"context": {"externalIDs": 1}}, "context.externalIds"),
        ({"context": {"external_ids": 1}}, "context.externalIds"),
        ({"context": {"Traits": 1}}, "context.traits"),
        ({"context": {"Device": 1}}, "context.device"),
        ({"context": {"consents": 1}}, "context.consent"),
        ({"context": {"GPC": 1}}, "context.gpc"),
        ({"context": {"device": {"idfa": 1}}}, "context.device.advertisingId"),
        ({"context": {"device": {"ad_tracking_enabled": 1}}}, "context.device.adTrackingEnabled"),
        ({"context": {"integrations": {"google-analytics": {}}}}, "context.integrations.Google Analytics"),
        (
            {"context": {"integrations": {"Google Analytics": {"client_id": 1}}}},
            "context.integrations.Google Analytics.clientId",
        ),
        (
            {"integrations": {"Google Analytics": {"clientId": "1.2"}}},
            "context.integrations.Google Analytics.clientId",
        ),
        ({"Batch": [{"type": "page"}]}, "batch"),
        ({"headers": {"Sec-GPC": "1"}}, "context.gpc"),
        ({"properties": {"IABTCF_CmpSdkID": 10}}, "context.consent.tcf"),
    ],
)
def test_a_member_near_a_known_name_is_misspelt(body: dict[str, Any], right: str) -> None:
    """At the top level and in the objects of the context."""
    (only,) = misspelt_fields(body, body["context"] if isinstance(body.get("context"), dict) else None)
    assert only.right == right


@given(st.sampled_from([*WRITTEN, "event"]), st.integers(0, 20), st.integers(0, 2))
def test_a_slip_of_the_finger_does_not_hide_a_name(name: str, place: int, way: int) -> None:
    """A letter that is doubled, swapped or, in a name of six letters or more, missing."""
    at = place % len(name)
    doubled = name[:at] + name[at] + name[at:]
    swapped = name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :]
    missing = name[:at] + name[at + 1 :] if len(name) > 5 else doubled
    slip = (doubled, swapped, missing)[way]
    assert slip.lower() == name.lower() or CALL.right(slip) == name


@given(st.sampled_from(WRITTEN), st.sampled_from(["_", "-", " ", ""]), st.randoms())
def test_case_and_separators_do_not_hide_a_name(name: str, separator: str, chance: Any) -> None:
    """In any mixture."""
    parts = [f"{separator}{c}" if c.isupper() else c for c in name]
    written = "".join(chance.choice((str.upper, str.lower))(part) for part in parts)
    assert written == name or CALL.right(written) == name


@pytest.mark.parametrize(
    "body",
    [
        {"user_properties": {}, "rudderId": "r", "request_ip": "192.0.2.1", "projectId": "p", "channel": "web"},
        {"userIp": 1, "content": 1, "email": 1, "plan": 1, "updated_at": 1, "x" * 5000: 1, "\x00": 1, "": 1},
        {"Traits": None, **dict.fromkeys(("trains", "treats", "tracts", "advice", "even", "vent", "match"), 1)},
        {"batch": "b7", "Batch": 7, "batches": [{"brewed": 1}]},
        {"integrations": {"All": False, "Google Analytics": {"trackingId": 1}}},
        {"properties": {f"p{n}": n for n in range(100)} | {"headers": "x", "consentManager": "acme", "minor": True}},
        {"timestamp": "2025-01-01", "created_at": "2024-01-01", "time": 1},
        {
            "context": {
                "app": {}, "library": {}, "userAgentData": {}, "consentManagement": {}, "sessionId": 1, "groupId": "g",
                "content": 1, "device": {"manufacturer": "m", "attTrackingStatus": 3},
                "integrations": {"All": True, "Google-Analytics": False, "Google Analytics 4": {}},
            }
        },
    ],
)  # fmt: skip
def test_another_name_is_not_misspelt(body: dict[str, Any]) -> None:
    """Nor is a null, nor another word for a time that the call states."""
    assert misspelt_fields(body, body.get("context")) == []


def test_a_time_under_another_spelling_is_misspelt_beside_the_right_one() -> None:
    """The two may differ."""
    assert [each.path for each in misspelt_fields({"timestamp": 1, "Timestamp": 2}, None)] == ["Timestamp"]


def test_the_envelope_of_a_batch_has_names_of_its_own() -> None:
    """A call has others."""
    assert [each.path for each in ENVELOPE.misspelt({"batch": [], "Context": {}, "sent_at": 1, "Traits": {}})] == [
        "Context",
        "sent_at",
    ]
    assert CONTEXT.right("Context") is None


@pytest.mark.parametrize(
    "name",
    [
        *("attributes", "userTraits", "user_traits", "groupTraits", "group_traits", "profile", "customAttributes"),
        *("eventProperties", "event_properties", "event_params", "parameters"),
    ],
)
def test_an_object_under_the_name_of_another_vendor_is_listed(name: str) -> None:
    """A value of another form and an empty object are members of their own."""
    right = "properties" if name.startswith("event") else "traits"
    assert misspelt_fields({name: {"plan": "pro"}}, None) == [MisspeltField(name, right, {"plan": "pro"})]
    own: list[Any] = [{}, "x", ["x"], None]
    assert [misspelt_fields({name: value}, None) for value in own] == [[]] * 4


def test_an_address_beside_the_ids_of_a_call_is_misspelt() -> None:
    """Traits alone have addresses and numbers that are read; a value that is no text is the customer's own."""
    body = {"userId": "u", "email": "a@x.org", "phone_number": "+4930123456", "Email": 1}
    assert [(each.path, each.right) for each in misspelt_fields(body, None)] == [
        ("email", "context.traits.email"), ("phone_number", "context.traits.phone"),
    ]  # fmt: skip
