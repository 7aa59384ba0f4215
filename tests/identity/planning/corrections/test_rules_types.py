"""A new rules document may not name a type that is probably misspelt."""

from typing import Any

import pytest

from identity.planning.corrections.rules_types import nameable_types, refusal_of_type, require_types, types_of
from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.calls import Source
from identity.values.enums import UnlinkedReason
from identity.values.errors import BadRules


@pytest.mark.parametrize(
    ("document", "field", "near"),
    [
        ({"limits": {"crm": {"max": 1}, "userid": {"max": 1}}}, "limits", "user_id"),
        ({"priority": ["user_id", "phones"]}, "priority", "phone"),
        ({"blocked": {"*": ["x"], "mail": ["x"]}}, "blocked", "email"),
        ({"limits": {"loyaltycard": {"max": 1}}}, "limits", "loyalty.card"),
    ],
)
def test_a_type_that_is_like_a_known_one_is_refused(document: dict[str, Any], field: str, near: str) -> None:
    """The message names the field, the type that is meant, and how to keep the other."""
    with pytest.raises(BadRules, match=rf"^{field} names .* Did you mean {near}\? To keep"):
        require_types(compile_rules(document, 0), {"crm", "loyalty.card"})


@pytest.mark.parametrize("type_", ["userid", "mail", "loyaltycard"])
def test_a_type_that_a_call_has_brought_is_taken(type_: str) -> None:
    """The customer has it."""
    rules = compile_rules({"limits": {type_: {"max": 1}}, "blocked": {type_: ["x"]}, "priority": [type_]}, 0)
    require_types(rules, {type_, "loyalty.card"})
    require_types(rules, types_of(rules))


def test_types_of_their_own_and_group_ids_are_taken() -> None:
    """Before any call; `*` is every type."""
    document = {"limits": {"crm": {"max": 1}, "email2": {"max": 1}}, "blocked": {"*": ["x"], "group_id": ["y"]}}
    require_types(compile_rules(document, 0), set())


@pytest.mark.parametrize(
    ("source", "document", "nameable"),
    [
        (Source(1, True), {}, {"crm", "loyalty"}),
        (Source(1), {}, set()),
        (Source(1), {"limits": {"crm": {"max": 1}}, "blocked": {"group_id": ["y"]}}, {"crm"}),
    ],
)
def test_no_call_makes_the_type_of_groups_one_of_people(
    source: Source, document: dict[str, Any], nameable: set[str]
) -> None:
    """Whatever its key, and where the rules name the type to block a group."""
    rules = compile_rules(document, 0)
    found = nameable_types({"crm", "loyalty", "group_id"}, source, rules)
    assert found == nameable
    assert refusal_of_type("group_id", found) == UnlinkedReason.GROUP_TYPE
    assert refusal_of_type("crm", {"crm"}) == UnlinkedReason.TOO_MANY_TYPES
    assert refusal_of_type("crm", set()) == UnlinkedReason.TYPE_NEEDS_SERVER_KEY
