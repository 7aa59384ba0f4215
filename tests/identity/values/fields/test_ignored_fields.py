"""Names the fields of a call that nothing reads, each with its reason."""

from typing import Any

import pytest

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import MICRO, Call, Source
from identity.values.stamps import Micros


def read(body: dict[str, Any]) -> Call:
    """The track call in a body, received in 2025."""
    return extract(
        body,
        kind="track",
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
