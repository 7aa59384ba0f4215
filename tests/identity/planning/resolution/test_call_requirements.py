"""Ingest asks more of a call than a rebuild does, and names every field that is not read."""

from typing import Any

import pytest

from identity.planning.resolution.call_requirements import rejection_hint, require_alias_ids, require_time
from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import MICRO, Call, Kind, Source
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
    ],
)
def test_a_field_that_is_not_read_is_named_with_its_reason(body: dict[str, Any], ignored: dict[str, str]) -> None:
    """The rest of the call is taken."""
    assert read(body).ignored_fields == ignored


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
