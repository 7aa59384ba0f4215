"""Names the fields of a call that nothing reads, each with its reason."""

from typing import Any

import pytest

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import KINDS, MICRO, Call, Kind, Source
from identity.values.stamps import Micros


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
