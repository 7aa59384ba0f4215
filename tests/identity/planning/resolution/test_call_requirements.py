"""Ingest asks more of a call than a rebuild does, and names every field that is not read.

The hints of rejected calls have a test file in `hints`.
"""

from typing import Any

import pytest

from identity.planning.resolution.call_requirements import (
    MOST_OF_A_PUBLIC_KEY,
    is_batch,
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
