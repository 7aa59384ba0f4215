"""Names the fields of a call that nothing reads, each with its reason."""

from typing import Any

import pytest

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import KINDS, MICRO, Call, Kind, Source
from identity.values.fields.field_names import CALL
from identity.values.fields.ignored_fields import FIELDS_OF_TYPES, OF_SDKS
from identity.values.stamps import Micros
from tests.conftest import ROOT

EMPTY: tuple[object, ...] = (None, "", {}, [])


def read(body: dict[str, Any], kind: Kind = "track") -> Call:
    """The call in a body, received in 2025."""
    return extract(
        body,
        kind=kind,
        rules=DEFAULT_RULES,
        received=Micros(1_735_689_600 * MICRO),
        sent_at=None,
        source=Source(1),
    )


@pytest.mark.parametrize(
    ("value", "ignored"),
    [
        ([{"type": "brazeExternalId", "id": "b1"}], {"context.externalId": "destination_ids"}),
        (
            [{"type": "HS-contacts", "id": "Contacts", "identifierType": "email"}],
            {"context.externalId": "destination_ids"},
        ),
        ([{"type": "crm", "id": "c1", "collection": "users"}], {"context.externalId": "misspelt_field"}),
        ([{"id": "c1"}], {"context.externalId": "misspelt_field"}),
        ("c1", {"context.externalId": "misspelt_field"}),
        ({"type": "crm", "id": "c1"}, {"context.externalId": "misspelt_field"}),
        ([], {}),
        (None, {}),
    ],
)
def test_the_ids_of_destinations_identify_nobody(value: object, ignored: dict[str, str]) -> None:
    """Many people may share one, so the list of RudderStack has a reason of its own and links nothing."""
    call = read({"userId": "u", "context": {"externalId": value}})
    assert call.ignored_fields == ignored
    assert [each.type for each in call.identifiers] == ["user_id"]
    assert call.demoted == []


@pytest.mark.parametrize("name", ["groupId", "group_id", "groupID", "GroupId", "group-id", "groupid", "group_ids"])
def test_a_group_of_the_context_has_one_reason_under_every_spelling(name: str) -> None:
    """No spelling makes anybody a member, and SDKs send the field on every call."""
    assert read({"userId": "u", "context": {name: "acme"}}).ignored_fields == {f"context.{name}": "group_of_context"}
    nothing: tuple[object, ...] = (None, "", [])
    for empty in nothing:
        assert read({"userId": "u", "context": {name: empty}}).ignored_fields == {}


@pytest.mark.parametrize("name", ["group_id", "groupID", "GroupId", "group-id"])
def test_a_group_id_at_the_top_level_is_misspelt(name: str) -> None:
    """So is one on a group call, where the right name is missing."""
    assert read({"userId": "u", name: "acme"}).ignored_fields == {name: "misspelt_field"}


@pytest.mark.parametrize("kind", KINDS)
def test_traits_and_properties_of_a_call_of_another_type_are_named(kind: Kind) -> None:
    """Each type of call reads one of the two, and an alias neither; empty ones are nothing."""
    body = {"userId": "u", "groupId": "g", "previousId": "p", "event": "E"}
    expected = {
        name
        for name, kinds in (("traits", ("identify", "group")), ("properties", ("track", "page", "screen")))
        if kind not in kinds
    }
    found = read({**body, "traits": {"plan": "x"}, "properties": {"plan": "x"}}, kind).ignored_fields
    assert {name for name in found if name in ("traits", "properties")} == expected
    assert {found[name] for name in expected} == {"field_of_other_type"}
    empties: tuple[object, ...] = (None, {}, [])
    for empty in empties:
        ignored = read({**body, "traits": empty, "properties": empty}, kind).ignored_fields
        assert not {"traits", "properties"} & ignored.keys()


@pytest.mark.parametrize("stated", [{}, None, {"traits": {}}, {"traits": None}, {"traits": []}])
def test_an_identify_with_empty_traits_takes_those_of_its_context(stated: dict[str, Any] | None) -> None:
    """As one without traits does; its own ones come first."""
    body = {"userId": "u", "context": {"traits": {"plan": "y"}}, **(stated or {})}
    assert read(body, "identify").traits == {"plan": "y"}
    assert read({**body, "traits": {"plan": "z"}}, "identify").traits == {"plan": "z"}


OF_ALL_TYPES = frozenset(
    {
        "type", "userId", "anonymousId", "context", "timestamp", "originalTimestamp", "receivedAt", "sentAt",
        "messageId", "integrations", "batch",
    }
)  # fmt: skip
"""The fields that a call of every type reads."""


def test_every_field_is_read_by_all_types_listed_on_others_or_sent_by_sdks_on_every_call() -> None:
    """A new known name needs a place in one of the three."""
    assert CALL.known == OF_ALL_TYPES | FIELDS_OF_TYPES.keys() | OF_SDKS
    assert not OF_ALL_TYPES & (FIELDS_OF_TYPES.keys() | OF_SDKS)
    page = (ROOT / "docs" / "reasons.md").read_text()
    for name, kinds in FIELDS_OF_TYPES.items():
        assert f"| `{name}` | {', '.join(sorted(kinds)) or 'none'} |" in page
    assert all(f"`{name}`" in page for name in OF_SDKS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FIELDS_OF_TYPES)
def test_a_field_of_calls_of_other_types_is_listed(name: str, kind: Kind) -> None:
    """An empty one is nothing."""
    body: dict[str, Any] = {"userId": "u", "groupId": "g", "previousId": "p"}
    value: object = {"plan": "x"} if name in ("traits", "properties", "decisions") else "user_id"
    found = read({**body, name: value}, kind).ignored_fields
    assert found.get(name) == (None if kind in FIELDS_OF_TYPES[name] else "field_of_other_type")
    for empty in EMPTY if kind not in FIELDS_OF_TYPES[name] else ():
        assert read({**body, name: empty}, kind).ignored_fields.get(name) != "field_of_other_type"


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "track"])
def test_an_event_that_repeats_the_type_or_the_name_of_its_call_is_nothing_new(kind: Kind) -> None:
    """As the SDKs of RudderStack send one."""
    body = {"userId": "u", "groupId": "g", "previousId": "p"}
    assert "event" not in read({**body, "event": kind}, kind).ignored_fields
    named = {"event": "Home", "properties": {"name": "Home"}}
    assert "event" not in read({**body, **named}, kind).ignored_fields
    assert read({**body, "event": "Home"}, kind).ignored_fields["event"] == "field_of_other_type"


@pytest.mark.parametrize(
    ("members", "ignored"),
    [
        ({"user_properties": {"plan": "x"}}, {"user_properties": "misspelt_field"}),
        ({"userProperties": {"plan": "x"}}, {"userProperties": "misspelt_field"}),
        ({"options": {"traits": {"plan": "x"}}}, {"options": "misspelt_field"}),
        ({"options": {"All": True}, "user_properties": None, "userProperties": {}}, {}),
    ],
)
def test_another_word_for_traits_or_context_is_listed(members: dict[str, Any], ignored: dict[str, str]) -> None:
    """SDKs send such a field empty."""
    assert read({"userId": "u", **members}).ignored_fields == ignored


@pytest.mark.parametrize(
    ("own", "theirs", "listed"),
    [
        ({"plan": "x"}, {"plan": "x"}, False),
        ({"plan": "x", "age": 3}, {"plan": "x", "anonymousId": "a", "userId": "u"}, False),
        ({"plan": "x"}, {"plan": "y"}, True),
        ({"plan": "x"}, {"plan": "x", "age": 3}, True),
        ({"plan": "x"}, {"email": "a@b.de"}, True),
        ({"plan": "x"}, {"age": None}, False),
        ({}, {"plan": "x"}, False),
        (None, {"plan": "x"}, False),
    ],
)
def test_traits_of_a_context_beside_those_of_an_identify_are_listed(
    own: dict[str, Any] | None, theirs: dict[str, Any], *, listed: bool
) -> None:
    """Unless they say the same. They set nothing, as in Segment."""
    call = read({"userId": "u", "traits": own, "context": {"traits": theirs}}, "identify")
    assert call.ignored_fields == ({"context.traits": "traits_in_two_places"} if listed else {})
    assert call.traits == (own or theirs)


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "identify"])
def test_traits_of_a_context_of_another_call_are_in_the_outcome(kind: Kind) -> None:
    """Identifiers among them are read."""
    body = {"userId": "u", "groupId": "g", "previousId": "p", "context": {"traits": {"email": "a@b.de"}}}
    assert "context.traits" not in read(body, kind).ignored_fields
    body["context"] = {"traits": {"email": "a@b.de", "plan": "pro"}}
    assert read(body, kind).ignored_fields["context.traits"] == "traits_of_context"
