"""Ingest asks more of a call than a rebuild does, and names every field that is not read."""

from typing import Any

import pytest

from identity.planning.resolution.call_requirements import is_batch, rejection_hint, require_alias_ids, require_time
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
        ({"context": {"device": {"type": "ios", "advertisingId": "i", "adTrackingEnabled": False}}}, {}),
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
    """A call of each type has them read or listed, and so has its previous id."""
    call = read({"type": kind, "userId": "u", "groupId": "g", "previousId": "p", "traits": {"plan": "pro"}}, kind)
    taken = {"traits": bool(call.traits or call.group_traits), "previousId": call.alias is not None}
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
        ("missing_event", {"user_id": "u"}, None),
        ("invalid_timestamp", {"created_at": 1}, "created_at is not read; send timestamp."),
        ("invalid_timestamp", {"timestamp": "x", "Timestamp": 1}, None),
        ("context_not_object", {"context": {}}, "The context beside the batch is no object."),
        ("context_not_object", {"context": "x"}, None),
    ],
)
def test_the_hint_of_a_rejection_names_the_misspelt_field(code: str, body: dict[str, Any], hint: str | None) -> None:
    """Where an id is missing."""
    assert rejection_hint(code, body) == hint
